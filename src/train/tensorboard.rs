//! TensorBoard's event file: scalars by update.
//!
//! A file is a row of records: length (u64), its masked CRC-32C, that many bytes of a protobuf `Event`, their
//! masked CRC-32C; all little-endian.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

use super::error::TrainError;
use super::journal::MetricsRow;

/// TensorBoard reads every file whose name holds `tfevents`.
const NAME: &str = "events.out.tfevents.0.covista";

/// An open event file.
#[derive(Debug)]
pub(super) struct EventFile {
    path: PathBuf,
    file: File,
}

impl EventFile {
    /// Replaces the file in the folder `run` by one that holds `rows`.
    pub(super) fn create(run: &Path, rows: &[MetricsRow]) -> Result<Self, TrainError> {
        let path = run.join(NAME);
        let file = File::create(&path).map_err(|e| failed(e, &path))?;
        let mut events = Self { path, file };
        let mut head = Vec::new();
        put_double(&mut head, 1, rows.first().map_or(0.0, |row| row.unix_time));
        put_bytes(&mut head, 3, b"brain.Event:2");
        events.append(&head)?;
        for row in rows {
            events.write(row)?;
        }
        Ok(events)
    }

    /// Adds the scalars of an update.
    pub(super) fn write(&mut self, row: &MetricsRow) -> Result<(), TrainError> {
        let report = &row.report;
        let scalars = [
            ("train/loss", f64::from(report.loss)),
            ("train/lr", report.lr),
            ("train/grad_norm", report.grad_norm),
            ("speed/pairs_per_s", report.pairs_per_s),
            ("speed/data_wait", report.data_wait),
        ];
        let validation = row.validation_loss.map(|loss| ("validation/loss", loss));
        let mut summary = Vec::new();
        for (tag, value) in scalars.into_iter().chain(validation) {
            let mut scalar = Vec::new();
            put_bytes(&mut scalar, 1, tag.as_bytes());
            put_key(&mut scalar, 2, 5);
            scalar.extend((value as f32).to_le_bytes());
            put_bytes(&mut summary, 1, &scalar);
        }
        let mut event = Vec::new();
        put_double(&mut event, 1, row.unix_time);
        put_key(&mut event, 2, 0);
        put_varint(&mut event, report.step);
        put_bytes(&mut event, 5, &summary);
        self.append(&event)
    }

    fn append(&mut self, event: &[u8]) -> Result<(), TrainError> {
        let length = (event.len() as u64).to_le_bytes();
        let mut record = length.to_vec();
        record.extend(masked_crc(&length).to_le_bytes());
        record.extend(event);
        record.extend(masked_crc(event).to_le_bytes());
        self.file.write_all(&record).map_err(|e| failed(e, &self.path))
    }
}

fn failed(source: std::io::Error, path: &Path) -> TrainError {
    TrainError::Output {
        source,
        path: path.to_owned(),
    }
}

fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

fn put_key(out: &mut Vec<u8>, field: u64, wire: u64) {
    put_varint(out, field << 3 | wire);
}

fn put_double(out: &mut Vec<u8>, field: u64, value: f64) {
    put_key(out, field, 1);
    out.extend(value.to_le_bytes());
}

fn put_bytes(out: &mut Vec<u8>, field: u64, bytes: &[u8]) {
    put_key(out, field, 2);
    put_varint(out, bytes.len() as u64);
    out.extend(bytes);
}

/// CRC-32C (Castagnoli), rotated and shifted as TFRecord stores it.
fn masked_crc(bytes: &[u8]) -> u32 {
    let mut crc = !0u32;
    for &byte in bytes {
        crc ^= u32::from(byte);
        for _ in 0..8 {
            crc = crc >> 1 ^ (0x82f6_3b78 & (crc & 1).wrapping_neg());
        }
    }
    (!crc).rotate_right(15).wrapping_add(0xa282_ead8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_the_published_one() {
        // RFC 3720, B.4: 32 bytes of zeros.
        let plain = masked_crc(&[0; 32]).wrapping_sub(0xa282_ead8).rotate_left(15);
        assert_eq!(plain, 0x8a91_36aa);
    }

    #[test]
    fn numbers_are_protobuf() {
        let mut out = Vec::new();
        put_varint(&mut out, 300);
        put_bytes(&mut out, 3, b"ab");
        assert_eq!(out, [0xac, 0x02, 0x1a, 2, b'a', b'b']);
    }
}
