//! Parquet files with embedded pictures: `datasets.load_dataset` reads the folder and shows them.
//!
//! `data/train-00000-of-0000N.parquet`, uncompressed (pictures are compressed already), row groups of at
//! most 100 pairs. The columns are those of `parquet_table.rs`; the file's metadata key `huggingface` says which of
//! them are pictures.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parquet::basic::Compression;
use parquet::column::writer::ColumnWriterImpl;
use parquet::data_type::{ByteArray, ByteArrayType, DataType, DoubleType, Int32Type, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::file::writer::{SerializedColumnWriter, SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::parser::parse_message_type;

use super::native::RunRecord;
use super::parquet_table::{COLUMNS, Cell, Kind, features, message_type, row};
use super::{ExportError, PairWriter, PictureFormat, json};
use crate::view::ViewPair;

/// Folder of the files.
pub const DATA: &str = "data";
/// A row group is written when it has this many pairs,
const GROUP_PAIRS: usize = 100;
/// or this many bytes of pictures.
const GROUP_BYTES: usize = 64 << 20;

/// Writes the files of one table.
pub(super) struct ParquetWriter {
    dir: PathBuf,
    pictures: PictureFormat,
    shard_pairs: u64,
    files: u64,
    started: u64,
    current: Option<Table>,
}

/// The file in hand.
struct Table {
    writer: SerializedFileWriter<BufWriter<File>>,
    path: PathBuf,
    rows: u64,
    group: Vec<Vec<Cell>>,
    group_bytes: usize,
}

impl ParquetWriter {
    /// Starts in an empty folder; `pairs` will come.
    pub(super) fn new(dir: &Path, run: &RunRecord, shard_pairs: u64, pairs: u64) -> Result<Self, ExportError> {
        let dir = dir.join(DATA);
        std::fs::create_dir_all(&dir).map_err(|e| ExportError::create(&dir, e))?;
        Ok(Self {
            dir,
            pictures: run.pictures,
            shard_pairs: shard_pairs.max(1),
            files: pairs.div_ceil(shard_pairs.max(1)),
            started: 0,
            current: None,
        })
    }

    fn start_file(&mut self) -> Result<Table, ExportError> {
        let path = self
            .dir
            .join(format!("train-{:05}-of-{:05}.parquet", self.started, self.files));
        self.started += 1;
        let file = File::create(&path).map_err(|e| ExportError::create(&path, e))?;
        let properties = WriterProperties::builder()
            .set_compression(Compression::UNCOMPRESSED)
            .set_dictionary_enabled(false)
            .set_statistics_enabled(EnabledStatistics::None)
            .set_key_value_metadata(Some(vec![KeyValue::new(
                "huggingface".to_string(),
                json::compact(&features()),
            )]))
            .build();
        let writer = parse_message_type(&message_type())
            .and_then(|schema| SerializedFileWriter::new(BufWriter::new(file), Arc::new(schema), Arc::new(properties)))
            .map_err(|e| failed(&path, e))?;
        Ok(Table {
            writer,
            path,
            rows: 0,
            group: Vec::new(),
            group_bytes: 0,
        })
    }

    fn end_file(&mut self) -> Result<(), ExportError> {
        let Some(mut table) = self.current.take() else {
            return Ok(());
        };
        table.end_group()?;
        let mut file = table.writer.into_inner().map_err(|e| failed(&table.path, e))?;
        file.flush().map_err(|e| ExportError::write(&table.path, e))
    }
}

impl PairWriter for ParquetWriter {
    fn write_pair(&mut self, pair: &ViewPair) -> Result<(), ExportError> {
        let cells = row(pair, self.pictures)?;
        let mut table = match self.current.take() {
            Some(table) => table,
            None => self.start_file()?,
        };
        table.add(cells)?;
        let full = table.rows >= self.shard_pairs;
        self.current = Some(table);
        match full {
            true => self.end_file(),
            false => Ok(()),
        }
    }

    fn finish(mut self: Box<Self>) -> Result<(), ExportError> {
        self.end_file()
    }
}

impl Table {
    fn add(&mut self, cells: Vec<Cell>) -> Result<(), ExportError> {
        self.rows += 1;
        self.group_bytes += cells.iter().map(bytes_of).sum::<usize>();
        self.group.push(cells);
        match self.group.len() >= GROUP_PAIRS || self.group_bytes >= GROUP_BYTES {
            true => self.end_group(),
            false => Ok(()),
        }
    }

    fn end_group(&mut self) -> Result<(), ExportError> {
        let rows = std::mem::take(&mut self.group);
        self.group_bytes = 0;
        if rows.is_empty() {
            return Ok(());
        }
        self.writer
            .next_row_group()
            .and_then(|group| write_group(group, &rows))
            .map_err(|e| failed(&self.path, e))
    }
}

fn bytes_of(cell: &Cell) -> usize {
    match cell {
        Cell::Picture { bytes, .. } => bytes.len(),
        _ => 64,
    }
}

/// A full disk is told from the rest, as everywhere.
fn failed(path: &Path, error: ParquetError) -> ExportError {
    match error {
        ParquetError::External(source) => match source.downcast::<std::io::Error>() {
            Ok(error) => ExportError::write(path, *error),
            Err(other) => ExportError::write(path, std::io::Error::other(other)),
        },
        other => ExportError::write(path, std::io::Error::other(other)),
    }
}

type Group<'a> = SerializedRowGroupWriter<'a, BufWriter<File>>;

fn write_group(mut group: Group<'_>, rows: &[Vec<Cell>]) -> Result<(), ParquetError> {
    for (place, (_, kind)) in COLUMNS.iter().enumerate() {
        let cells = || rows.iter().map(move |row| &row[place]);
        match kind {
            Kind::Picture => {
                write_present::<ByteArrayType>(&mut group, 2, cells().filter_map(picture_bytes).collect())?;
                write_present::<ByteArrayType>(&mut group, 2, cells().filter_map(picture_path).collect())?;
            }
            Kind::Text => write_present::<ByteArrayType>(&mut group, 1, cells().filter_map(text).collect())?,
            Kind::Int32 => write_present::<Int32Type>(&mut group, 1, cells().filter_map(int32).collect())?,
            // Parquet holds unsigned numbers by their bits.
            Kind::Uint64 => write_present::<Int64Type>(&mut group, 1, cells().filter_map(uint64_bits).collect())?,
            Kind::Float64 => {
                let values: Vec<Option<f64>> = cells().filter_map(float64).collect();
                let present: Vec<f64> = values.iter().copied().flatten().collect();
                let levels: Vec<i16> = values.iter().map(|value| i16::from(value.is_some())).collect();
                write_column(&mut group, |column: &mut ColumnWriterImpl<'_, DoubleType>| {
                    column.write_batch(&present, Some(&levels), None)
                })?;
            }
            Kind::Float64s => write_lists::<DoubleType>(&mut group, cells().filter_map(float64s).collect())?,
            Kind::Int32s => write_lists::<Int32Type>(&mut group, cells().filter_map(int32s).collect())?,
        }
    }
    group.close()?;
    Ok(())
}

/// A column of optional values, `level` of them around one another, all there.
fn write_present<T: DataType>(group: &mut Group<'_>, level: i16, values: Vec<T::T>) -> Result<(), ParquetError> {
    let levels = vec![level; values.len()];
    write_column(group, |column: &mut ColumnWriterImpl<'_, T>| {
        column.write_batch(&values, Some(&levels), None)
    })
}

/// A column of lists: an empty one has definition level 1, an item level 3.
fn write_lists<T: DataType>(group: &mut Group<'_>, lists: Vec<&[T::T]>) -> Result<(), ParquetError>
where
    T::T: Clone,
{
    let (mut values, mut definition, mut repetition) = (Vec::new(), Vec::new(), Vec::new());
    for list in lists {
        if list.is_empty() {
            definition.push(1);
            repetition.push(0);
        }
        for (place, value) in list.iter().enumerate() {
            values.push(value.clone());
            definition.push(3);
            repetition.push(i16::from(place > 0));
        }
    }
    write_column(group, |column: &mut ColumnWriterImpl<'_, T>| {
        column.write_batch(&values, Some(&definition), Some(&repetition))
    })
}

fn write_column<T: DataType>(
    group: &mut Group<'_>,
    write: impl FnOnce(&mut ColumnWriterImpl<'_, T>) -> Result<usize, ParquetError>,
) -> Result<(), ParquetError> {
    let column: Option<SerializedColumnWriter<'_>> = group.next_column()?;
    let mut column = column.ok_or_else(|| ParquetError::General("the table has fewer columns than its rows".into()))?;
    write(column.typed::<T>())?;
    column.close()
}

fn picture_bytes(cell: &Cell) -> Option<ByteArray> {
    match cell {
        Cell::Picture { bytes, .. } => Some(ByteArray::from(bytes.clone())),
        _ => None,
    }
}

fn picture_path(cell: &Cell) -> Option<ByteArray> {
    match cell {
        Cell::Picture { path, .. } => Some(ByteArray::from(path.as_str())),
        _ => None,
    }
}

fn text(cell: &Cell) -> Option<ByteArray> {
    match cell {
        Cell::Text(text) => Some(ByteArray::from(text.as_str())),
        _ => None,
    }
}

fn int32(cell: &Cell) -> Option<i32> {
    match cell {
        Cell::Int32(value) => Some(*value),
        _ => None,
    }
}

fn uint64_bits(cell: &Cell) -> Option<i64> {
    match cell {
        Cell::Uint64(value) => Some(value.cast_signed()),
        _ => None,
    }
}

fn float64(cell: &Cell) -> Option<Option<f64>> {
    match cell {
        Cell::Float64(value) => Some(*value),
        _ => None,
    }
}

fn float64s(cell: &Cell) -> Option<&[f64]> {
    match cell {
        Cell::Float64s(values) => Some(values),
        _ => None,
    }
}

fn int32s(cell: &Cell) -> Option<&[i32]> {
    match cell {
        Cell::Int32s(values) => Some(values),
        _ => None,
    }
}
