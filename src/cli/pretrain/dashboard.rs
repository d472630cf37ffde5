//! The live dashboard: curves and figures of a run in the terminal, drawn by a thread of its own.

use std::io;
use std::panic;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use covista::train::journal::MetricsRow;
use crossbeam_channel::{Receiver, Sender, TryRecvError};
use ratatui::DefaultTerminal;
use ratatui::crossterm::event::{self, Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

use super::screen::Screen;
use crate::cli::exit::INTERRUPTED;

/// How long the thread waits for a key before it looks for news.
const TICK: Duration = Duration::from_millis(150);

enum News {
    Row(Box<MetricsRow>),
    Note(String),
    Close,
}

/// A dashboard on the screen. The terminal is given back when this is dropped, and on a panic.
pub struct Dashboard {
    news: Sender<News>,
    thread: Option<JoinHandle<()>>,
}

impl Dashboard {
    /// Takes the terminal over. `q`, Esc and Ctrl-C raise `interrupted`; a second time they end the process.
    pub fn open(screen: Screen, interrupted: Arc<AtomicBool>) -> io::Result<Self> {
        let terminal = ratatui::try_init()?;
        let panicked = Arc::new(AtomicBool::new(false));
        let raised = Arc::clone(&panicked);
        // The hook of `try_init` gives the terminal back; nothing may be drawn after it.
        let restoring = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            // One that is caught ends nothing.
            if !covista::contain::is_contained() {
                raised.store(true, Ordering::SeqCst);
                restoring(info);
            }
        }));
        let (news, received) = crossbeam_channel::unbounded();
        let thread = std::thread::Builder::new()
            .name("covista-dashboard".to_owned())
            .spawn(move || {
                // Where the terminal is lost there is nobody to tell; the run goes on without.
                let _ = show(terminal, screen, &received, &interrupted, &panicked);
                if !panicked.load(Ordering::SeqCst) {
                    ratatui::restore();
                }
            });
        match thread {
            Ok(thread) => Ok(Self {
                news,
                thread: Some(thread),
            }),
            Err(error) => {
                ratatui::restore();
                Err(error)
            }
        }
    }

    /// Shows an update.
    pub fn row(&self, row: &MetricsRow) {
        // Fails only where the terminal was lost.
        let _ = self.news.send(News::Row(Box::new(row.clone())));
    }

    /// Shows a message.
    pub fn note(&self, text: String) {
        let _ = self.news.send(News::Note(text));
    }
}

impl Drop for Dashboard {
    fn drop(&mut self) {
        let _ = self.news.send(News::Close);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn show(
    mut terminal: DefaultTerminal,
    mut screen: Screen,
    news: &Receiver<News>,
    interrupted: &AtomicBool,
    panicked: &AtomicBool,
) -> io::Result<()> {
    loop {
        loop {
            match news.try_recv() {
                Ok(News::Row(row)) => screen.add(*row),
                Ok(News::Note(text)) => screen.note(text),
                Ok(News::Close) | Err(TryRecvError::Disconnected) => return Ok(()),
                Err(TryRecvError::Empty) => break,
            }
        }
        if panicked.load(Ordering::SeqCst) {
            return Ok(());
        }
        terminal.draw(|frame| screen.draw(frame))?;
        if event::poll(TICK)?
            && let Event::Key(key) = event::read()?
            && asks_to_stop(&key)
        {
            if interrupted.swap(true, Ordering::SeqCst) {
                ratatui::restore();
                std::process::exit(i32::from(INTERRUPTED));
            }
            screen.note("stopping after the work in hand (again to stop at once)".to_owned());
        }
    }
}

fn asks_to_stop(key: &KeyEvent) -> bool {
    let control = key.modifiers.contains(KeyModifiers::CONTROL);
    key.kind == KeyEventKind::Press
        && match key.code {
            KeyCode::Char('c') => control,
            KeyCode::Char('q') | KeyCode::Esc => true,
            _ => false,
        }
}
