//! Clients of the stores, with credentials that were seen to exist.

use std::time::Duration;

use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey};
use object_store::gcp::{GoogleCloudStorageBuilder, GoogleConfigKey};
use object_store::{BackoffConfig, Error, ObjectStore, RetryConfig};
use tokio::runtime::Runtime;

use super::{StoreError, reason};

/// Variable with the seconds for which a request is tried again.
const PATIENCE: &str = "COVISTA_STORE_PATIENCE";
/// Its default.
const PATIENCE_S: u64 = 120;

/// A client of Amazon's store or one that speaks its language.
pub fn s3(runtime: &Runtime, url: &str, bucket: &str) -> Result<Box<dyn ObjectStore>, StoreError> {
    let bad = |error: Error| address(url, &error);
    let builder = AmazonS3Builder::from_env().with_bucket_name(bucket);
    let unsigned = builder.get_config_value(&AmazonS3ConfigKey::SkipSignature);
    if unsigned.as_deref() != Some("true") {
        let probe = builder.clone().with_retry(briefly()).build().map_err(bad)?;
        let found = runtime.block_on(probe.credentials().get_credential());
        found.map_err(|error| missing(url, &error))?;
    }
    Ok(Box::new(builder.with_retry(patiently(url)?).build().map_err(bad)?))
}

/// A client of Google's store.
pub fn gs(runtime: &Runtime, url: &str, bucket: &str) -> Result<Box<dyn ObjectStore>, StoreError> {
    let bad = |error: Error| address(url, &error);
    let builder = GoogleCloudStorageBuilder::from_env().with_bucket_name(bucket);
    let unsigned = builder.get_config_value(&GoogleConfigKey::SkipSignature);
    if unsigned.as_deref() != Some("true") {
        let probe = builder.clone().with_retry(briefly()).build().map_err(bad)?;
        let found = runtime.block_on(probe.credentials().get_credential());
        found.map_err(|error| missing(url, &error))?;
    }
    Ok(Box::new(builder.with_retry(patiently(url)?).build().map_err(bad)?))
}

fn address(url: &str, error: &Error) -> StoreError {
    StoreError::Address {
        url: url.into(),
        why: reason(error),
    }
}

fn missing(url: &str, error: &Error) -> StoreError {
    StoreError::Credentials {
        url: url.into(),
        why: reason(error),
    }
}

/// For asking the machine for its role, which answers at once or never.
fn briefly() -> RetryConfig {
    RetryConfig {
        max_retries: 2,
        ..RetryConfig::default()
    }
}

/// Through restarts and throttling of the store, for as long as the user says.
fn patiently(url: &str) -> Result<RetryConfig, StoreError> {
    let seconds = match std::env::var(PATIENCE) {
        Ok(text) => text.parse().map_err(|_| StoreError::Address {
            url: url.into(),
            why: format!("{PATIENCE}={text} is no number of seconds"),
        })?,
        Err(_) => PATIENCE_S,
    };
    Ok(RetryConfig {
        backoff: BackoffConfig {
            init_backoff: Duration::from_millis(200),
            max_backoff: Duration::from_secs(10),
            base: 3.0,
        },
        // Time alone decides.
        max_retries: 1000,
        retry_timeout: Duration::from_secs(seconds),
    })
}
