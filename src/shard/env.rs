//! Which shard a scheduler says this is.

use super::error::ShardError;

/// A shard as a scheduler names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EnvShard {
    /// The scheduler's variable.
    pub variable: &'static str,
    /// 0 to `count` - 1.
    pub index: u64,
    /// Parts of the run.
    pub count: u64,
}

/// Reads the shard from the variables of a scheduler, the first of these that is there:
///
/// | variable | index | count |
/// |---|---|---|
/// | `SLURM_ARRAY_TASK_ID` | (it - `SLURM_ARRAY_TASK_MIN`) / `SLURM_ARRAY_TASK_STEP` | `SLURM_ARRAY_TASK_COUNT` |
/// | `JOB_COMPLETION_INDEX` (Kubernetes) | it | must be given |
/// | `HQ_TASK_ID` (HyperQueue) | it | must be given |
/// | `RANK` | it | `WORLD_SIZE` |
///
/// `count` is what the user gave (`--shards`, `COVISTA_SHARDS`). It goes before the scheduler's count, and the task's
/// number is then the index itself: so a part of an array can be submitted again by itself.
///
/// # Errors
///
/// [`ShardError::Environment`] where no variable is set, the count is missing, a value is no whole number or the
/// index does not lie below the count.
pub fn shard_from_env(lookup: impl Fn(&str) -> Option<String>, count: Option<u64>) -> Result<EnvShard, ShardError> {
    let number = |name: &str| -> Result<Option<u64>, ShardError> {
        let Some(text) = lookup(name).filter(|text| !text.is_empty()) else {
            return Ok(None);
        };
        let value = text.trim().parse();
        value
            .map(Some)
            .map_err(|_| ShardError::Environment(format!("{name} is {text:?}, which is no whole number")))
    };
    for (variable, counter) in [
        ("SLURM_ARRAY_TASK_ID", Some("SLURM_ARRAY_TASK_COUNT")),
        ("JOB_COMPLETION_INDEX", None),
        ("HQ_TASK_ID", None),
        ("RANK", Some("WORLD_SIZE")),
    ] {
        let Some(task) = number(variable)? else { continue };
        let (index, count) = match (count, counter) {
            (Some(count), _) => (task, count),
            (None, None) => {
                return Err(ShardError::Environment(format!(
                    "{variable} is {task}, but its scheduler does not say of how many: give --shards or set COVISTA_SHARDS"
                )));
            }
            (None, Some(counter)) => {
                let count = number(counter)?.ok_or_else(|| {
                    ShardError::Environment(format!("{variable} is {task}, but {counter} is not set: give --shards"))
                })?;
                let (first, step) = match variable {
                    "SLURM_ARRAY_TASK_ID" => (
                        number("SLURM_ARRAY_TASK_MIN")?.unwrap_or(0),
                        number("SLURM_ARRAY_TASK_STEP")?.unwrap_or(1).max(1),
                    ),
                    _ => (0, 1),
                };
                (task.saturating_sub(first) / step, count)
            }
        };
        if index >= count {
            return Err(ShardError::Environment(format!(
                "{variable} is {task}, which names no shard: shards are 0 to {} of {count}",
                count.saturating_sub(1)
            )));
        }
        return Ok(EnvShard { variable, index, count });
    }
    Err(ShardError::Environment(
        "no scheduler says which shard this is: none of SLURM_ARRAY_TASK_ID, JOB_COMPLETION_INDEX, HQ_TASK_ID and RANK is set; \
         give --shards N --shard I"
            .into(),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(variables: &[(&str, &str)], count: Option<u64>) -> Result<(u64, u64), String> {
        let lookup = |name: &str| variables.iter().find(|(n, _)| *n == name).map(|(_, v)| v.to_string());
        shard_from_env(lookup, count)
            .map(|s| (s.index, s.count))
            .map_err(|e| e.to_string())
    }

    #[test]
    fn every_scheduler_is_understood() {
        let slurm = [
            ("SLURM_ARRAY_TASK_ID", "3"),
            ("SLURM_ARRAY_TASK_COUNT", "8"),
            ("RANK", "0"),
            ("WORLD_SIZE", "1"),
        ];
        assert_eq!(read(&slurm, None), Ok((3, 8)));
        let from_one = [
            ("SLURM_ARRAY_TASK_ID", "15"),
            ("SLURM_ARRAY_TASK_COUNT", "3"),
            ("SLURM_ARRAY_TASK_MIN", "5"),
            ("SLURM_ARRAY_TASK_STEP", "5"),
        ];
        assert_eq!(read(&from_one, None), Ok((2, 3)));
        assert_eq!(read(&[("JOB_COMPLETION_INDEX", "0")], Some(4)), Ok((0, 4)));
        assert_eq!(read(&[("HQ_TASK_ID", "2")], Some(4)), Ok((2, 4)));
        assert_eq!(read(&[("RANK", "1"), ("WORLD_SIZE", "2")], None), Ok((1, 2)));
    }

    #[test]
    fn a_part_of_an_array_keeps_its_numbers_where_the_count_is_given() {
        let again = [
            ("SLURM_ARRAY_TASK_ID", "5"),
            ("SLURM_ARRAY_TASK_COUNT", "1"),
            ("SLURM_ARRAY_TASK_MIN", "5"),
        ];
        assert_eq!(read(&again, Some(8)), Ok((5, 8)));
    }

    #[test]
    fn what_is_missing_is_named() {
        for (variables, count, named) in [
            (&[][..], None, "SLURM_ARRAY_TASK_ID"),
            (&[("JOB_COMPLETION_INDEX", "1")], None, "COVISTA_SHARDS"),
            (&[("RANK", "1")], None, "WORLD_SIZE"),
            (&[("RANK", "x"), ("WORLD_SIZE", "2")], None, "whole number"),
            (&[("HQ_TASK_ID", "4")], Some(4), "0 to 3 of 4"),
        ] {
            let error = read(variables, count).unwrap_err();
            assert!(error.contains(named), "{error}");
        }
    }
}
