//! Video files, read by the program ffmpeg where it is installed.

use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};

use image::RgbImage;

use super::error::MineError;

/// Bytes of one frame at most: 178 million pixels.
const MAX_FRAME_BYTES: u64 = 512 << 20;

/// A video file.
#[derive(Debug, Clone)]
pub(super) struct Video {
    path: PathBuf,
    /// Number of frames.
    pub frames: usize,
    /// Frames a second, on average.
    pub fps: f64,
}

impl Video {
    /// Asks ffprobe for frame rate and number of frames.
    pub fn open(path: &Path) -> Result<Self, MineError> {
        let bad = |why: &str| MineError::Video {
            path: path.to_owned(),
            // ffprobe names the file itself; once is enough.
            why: why
                .split_whitespace()
                .collect::<Vec<_>>()
                .join(" ")
                .replace(&format!("{}: ", path.display()), ""),
        };
        let mut probe = Command::new("ffprobe");
        probe.args(["-v", "error", "-select_streams", "v:0", "-count_packets"]);
        probe.args([
            "-show_entries",
            "stream=nb_read_packets,avg_frame_rate",
            "-of",
            "default=noprint_wrappers=1",
        ]);
        let asked = probe.arg("-i").arg(path).stdin(Stdio::null()).output();
        let said = asked.map_err(|error| not_there("ffprobe", path, error))?;
        if !said.status.success() {
            return Err(bad(&last_line(&said.stderr)));
        }
        let text = String::from_utf8_lossy(&said.stdout);
        let value = |key: &str| text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('='));
        let frames = value("nb_read_packets").and_then(|count| count.trim().parse().ok());
        let rate = value("avg_frame_rate").and_then(|rate| {
            let (above, below) = rate.trim().split_once('/')?;
            Some(above.parse::<f64>().ok()? / below.parse::<f64>().ok()?)
        });
        match (frames, rate) {
            (Some(frames), Some(fps)) if frames > 0 && fps.is_finite() && fps > 0.0 => Ok(Self {
                path: path.to_owned(),
                frames,
                fps,
            }),
            _ => Err(bad("it holds no video stream with a frame rate")),
        }
    }

    /// Every frame in order, as ffmpeg decodes them.
    pub fn frames(&self) -> Result<FrameStream, MineError> {
        let mut program = Command::new("ffmpeg");
        // No frame is doubled or dropped to even out the rate.
        program.args(["-v", "error", "-nostdin", "-i"]).arg(&self.path);
        program.args([
            "-map",
            "0:v:0",
            "-fps_mode",
            "passthrough",
            "-f",
            "image2pipe",
            "-c:v",
            "ppm",
            "-pix_fmt",
            "rgb24",
            "-",
        ]);
        let mut child = program
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| not_there("ffmpeg", &self.path, error))?;
        let out = child.stdout.take().map(|out| BufReader::with_capacity(1 << 20, out));
        Ok(FrameStream {
            path: self.path.clone(),
            child,
            out,
        })
    }
}

fn not_there(program: &'static str, path: &Path, error: std::io::Error) -> MineError {
    match error.kind() {
        std::io::ErrorKind::NotFound => MineError::NoFfmpeg {
            program,
            path: path.to_owned(),
        },
        _ => MineError::read(path, error),
    }
}

fn last_line(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(text);
    text.lines()
        .rfind(|line| !line.trim().is_empty())
        .unwrap_or("no reason given")
        .to_owned()
}

/// A running ffmpeg; it ends with this.
#[derive(Debug)]
pub(super) struct FrameStream {
    path: PathBuf,
    child: Child,
    out: Option<BufReader<ChildStdout>>,
}

impl FrameStream {
    /// Passes over `skip` frames and reads the next; `None` after the last.
    pub fn nth_picture(&mut self, skip: usize) -> Result<Option<RgbImage>, MineError> {
        for _ in 0..skip {
            if self.picture()?.is_none() {
                return Ok(None);
            }
        }
        self.picture()
    }

    /// A binary PPM: "P6", width, height, 255, each ended by white space, then the pixels.
    fn picture(&mut self) -> Result<Option<RgbImage>, MineError> {
        let bad = |why: &str| MineError::Video {
            path: self.path.clone(),
            why: why.to_owned(),
        };
        let Some(out) = &mut self.out else { return Ok(None) };
        let mut fields = Vec::new();
        let mut field = String::new();
        while fields.len() < 4 {
            let mut byte = [0];
            match out
                .read(&mut byte)
                .map_err(|error| MineError::read(&self.path, error))?
            {
                0 if fields.is_empty() && field.is_empty() => return Ok(None),
                0 => return Err(bad("a frame is cut off")),
                _ if byte[0].is_ascii_whitespace() => {
                    if !field.is_empty() {
                        fields.push(std::mem::take(&mut field));
                    }
                }
                _ => field.push(char::from(byte[0])),
            }
            if field.len() > 16 {
                return Err(bad("ffmpeg wrote something else than pictures"));
            }
        }
        let number = |place: usize| fields[place].parse::<u32>().ok();
        let (Some(width), Some(height), true) = (number(1), number(2), fields[0] == "P6" && fields[3] == "255") else {
            return Err(bad("ffmpeg wrote something else than pictures"));
        };
        let bytes = u64::from(width) * u64::from(height) * 3;
        if bytes == 0 || bytes > MAX_FRAME_BYTES {
            return Err(bad("its frames are too large"));
        }
        let mut pixels = vec![0; bytes as usize];
        out.read_exact(&mut pixels).map_err(|_| bad("a frame is cut off"))?;
        Ok(RgbImage::from_raw(width, height, pixels))
    }
}

impl Drop for FrameStream {
    fn drop(&mut self) {
        // A closed pipe ends it, if it has not ended; then it is waited for, so that no zombie stays.
        self.out = None;
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
