//! What the dashboard shows: a pure function of the rows so far.

use std::collections::VecDeque;

use covista::train::journal::MetricsRow;
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Style, Stylize};
use ratatui::symbols::Marker;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Axis, Block, Chart, Dataset, Gauge, GraphType, Paragraph};

/// Messages that stay on the screen.
const NOTES: usize = 5;
/// Updates whose mean time tells when the run ends.
const RECENT: usize = 50;
/// Points of a drawn curve: more than a terminal has columns.
const POINTS: usize = 400;

/// What does not change during a run.
#[derive(Debug, Clone)]
pub struct Head {
    /// Model, device, adapter: one line.
    pub title: String,
    /// Updates in all.
    pub steps: u64,
}

/// The state of the screen.
#[derive(Debug)]
pub struct Screen {
    head: Head,
    rows: Vec<MetricsRow>,
    notes: VecDeque<String>,
}

impl Screen {
    /// Shows `rows` of before a resume, and what comes.
    pub fn new(head: Head, rows: Vec<MetricsRow>) -> Self {
        Self {
            head,
            rows,
            notes: VecDeque::new(),
        }
    }

    /// Adds an update.
    pub fn add(&mut self, row: MetricsRow) {
        self.rows.push(row);
    }

    /// Adds a message.
    pub fn note(&mut self, text: String) {
        self.notes.push_back(text);
        if self.notes.len() > NOTES {
            self.notes.pop_front();
        }
    }

    /// Draws everything.
    pub fn draw(&self, frame: &mut Frame<'_>) {
        let [top, middle, bottom] =
            Layout::vertical([Constraint::Length(2), Constraint::Min(8), Constraint::Length(8)]).areas(frame.area());
        self.draw_top(frame, top);
        let [left, right] = Layout::horizontal([Constraint::Percentage(66), Constraint::Min(20)]).areas(middle);
        let [upper, lower] = Layout::vertical([Constraint::Percentage(50), Constraint::Min(4)]).areas(right);
        let train = |pick: fn(&MetricsRow) -> f64| self.curve(pick);
        let validation: Vec<(f64, f64)> = self
            .rows
            .iter()
            .filter_map(|row| Some((row.report.step as f64, row.validation_loss?)))
            .collect();
        let loss = train(|row| f64::from(row.report.loss));
        let title = " loss: training, its running mean (cyan), validation (yellow) ";
        chart(frame, left, title, [&loss, &smooth(&loss), &validation]);
        let rates = train(|row| row.report.lr);
        chart(frame, upper, " learning rate ", [&[], &rates, &[]]);
        let norms = train(|row| row.report.grad_norm);
        chart(frame, lower, " gradient norm ", [&norms, &smooth(&norms), &[]]);
        let [numbers, notes] =
            Layout::horizontal([Constraint::Percentage(50), Constraint::Percentage(50)]).areas(bottom);
        frame.render_widget(
            Paragraph::new(self.numbers()).block(Block::bordered().title(" now ")),
            numbers,
        );
        let lines: Vec<Line<'_>> = self.notes.iter().map(|note| Line::from(note.as_str())).collect();
        frame.render_widget(
            Paragraph::new(lines).block(Block::bordered().title(" q or Ctrl-C stops; what was made is kept ")),
            notes,
        );
    }

    fn draw_top(&self, frame: &mut Frame<'_>, area: Rect) {
        let [title, bar] = Layout::vertical([Constraint::Length(1), Constraint::Length(1)]).areas(area);
        frame.render_widget(Line::from(self.head.title.as_str()).bold(), title);
        let done = self.rows.last().map_or(0, |row| row.report.step + 1);
        let ratio = (done as f64 / self.head.steps.max(1) as f64).clamp(0.0, 1.0);
        let label = format!("{done}/{}  ETA {}", self.head.steps, duration(self.seconds_left()));
        let gauge = Gauge::default()
            .gauge_style(Style::new().fg(Color::Cyan).bg(Color::DarkGray))
            .ratio(ratio)
            .label(label);
        frame.render_widget(gauge, bar);
    }

    fn numbers(&self) -> Vec<Line<'_>> {
        let Some(last) = self.rows.last() else {
            return vec![Line::from("waiting for the first pairs")];
        };
        let report = &last.report;
        let recent = self.recent();
        let mean = |pick: fn(&MetricsRow) -> f64| recent.iter().map(pick).sum::<f64>() / recent.len() as f64;
        let seconds = mean(|row| row.report.seconds).max(1e-9);
        let pairs = mean(|row| row.report.pairs_per_s * row.report.seconds) / seconds;
        let wait = mean(|row| row.report.data_wait * row.report.seconds) / seconds;
        let best = self.rows.iter().filter_map(|row| row.validation_loss).reduce(f64::min);
        let best = best.map_or("none taken".to_owned(), |best| format!("{best:.4}"));
        let line = |name: &'static str, value: String| Line::from(vec![Span::from(name).dim(), Span::from(value)]);
        vec![
            line("loss             ", format!("{:.4}", report.loss)),
            line("best validation  ", best),
            line(
                "lr, grad norm    ",
                format!("{:.2e}, {:.3}", report.lr, report.grad_norm),
            ),
            line("pairs a second   ", format!("{pairs:.1}")),
            line("waiting for data ", format!("{:.1} %", 100.0 * wait)),
            line("scene            ", last.scene.clone()),
        ]
    }

    fn recent(&self) -> &[MetricsRow] {
        &self.rows[self.rows.len().saturating_sub(RECENT)..]
    }

    fn seconds_left(&self) -> f64 {
        let recent = self.recent();
        let mean = recent.iter().map(|row| row.report.seconds).sum::<f64>() / recent.len().max(1) as f64;
        let done = self.rows.last().map_or(0, |row| row.report.step + 1);
        mean * self.head.steps.saturating_sub(done) as f64
    }

    /// A curve over the updates, neighbours averaged so that about [`POINTS`] remain.
    fn curve(&self, pick: fn(&MetricsRow) -> f64) -> Vec<(f64, f64)> {
        let group = self.rows.len().div_ceil(POINTS).max(1);
        let mean = |part: &[MetricsRow], pick: &dyn Fn(&MetricsRow) -> f64| {
            part.iter().map(pick).sum::<f64>() / part.len() as f64
        };
        let groups = self.rows.chunks(group);
        groups
            .map(|part| (mean(part, &|row| row.report.step as f64), mean(part, &pick)))
            .collect()
    }
}

/// Mean of each value and its neighbours before it, a twentieth of the curve.
fn smooth(line: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let width = (line.len() / 20).max(1);
    (0..line.len())
        .map(|i| {
            let part = &line[(i + 1).saturating_sub(width)..=i];
            (
                line[i].0,
                part.iter().map(|point| point.1).sum::<f64>() / part.len() as f64,
            )
        })
        .collect()
}

/// Curves of one quantity: as it is, its mean, and single points.
fn chart(frame: &mut Frame<'_>, area: Rect, title: &str, [raw, mean, dots]: [&[(f64, f64)]; 3]) {
    let all = || [raw, mean, dots].into_iter().flatten();
    let values = || all().map(|point| point.1).filter(|value| value.is_finite());
    let low = values().fold(f64::INFINITY, f64::min);
    let high = values().fold(f64::NEG_INFINITY, f64::max);
    let (low, high) = if low <= high { (low, high) } else { (0.0, 1.0) };
    let room = ((high - low) * 0.05).max(high.abs().max(1e-12) * 1e-3);
    // Nothing that is shown falls below 0.
    let y = [(low - room).max(0.0), high + room];
    let steps = || all().map(|point| point.0);
    let first = steps().fold(f64::INFINITY, f64::min);
    let x = [if first.is_finite() { first } else { 0.0 }, steps().fold(1.0, f64::max)];
    let set = |marker, kind, color, data| {
        let set = Dataset::default().marker(marker).graph_type(kind);
        set.style(Style::new().fg(color)).data(data)
    };
    let sets = vec![
        set(Marker::Braille, GraphType::Line, Color::DarkGray, raw),
        set(Marker::Braille, GraphType::Line, Color::Cyan, mean),
        set(Marker::Dot, GraphType::Scatter, Color::Yellow, dots),
    ];
    let chart = Chart::new(sets)
        .block(Block::bordered().title(title.to_owned()))
        .x_axis(Axis::default().bounds(x).labels(x.map(|step| format!("{step:.0}"))))
        .y_axis(Axis::default().bounds(y).labels(y.map(short)));
    frame.render_widget(chart, area);
}

fn short(value: f64) -> String {
    match value.abs() {
        size if size != 0.0 && size < 0.01 => format!("{value:.1e}"),
        _ => format!("{value:.3}"),
    }
}

/// Seconds as a person reads them.
fn duration(seconds: f64) -> String {
    let whole = seconds.max(0.0).round() as u64;
    match (whole / 86_400, whole / 3600 % 24, whole / 60 % 60, whole % 60) {
        (0, 0, 0, s) => format!("{s} s"),
        (0, 0, m, s) => format!("{m} min {s:02} s"),
        (0, h, m, _) => format!("{h} h {m:02} min"),
        (d, h, _, _) => format!("{d} d {h} h"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use covista::train::StepReport;
    use ratatui::Terminal;
    use ratatui::backend::TestBackend;

    fn row(step: u64) -> MetricsRow {
        MetricsRow {
            report: StepReport {
                step,
                loss: 1.0 / (step + 1) as f32,
                lr: 1e-3,
                grad_norm: 0.5,
                pairs_per_s: 20.0,
                data_wait: 0.015,
                seconds: 2.0,
            },
            validation_loss: (step % 10 == 9).then_some(0.75),
            scene: "procedural:4".into(),
            unix_time: 0.0,
        }
    }

    fn drawn(screen: &Screen) -> String {
        let mut terminal = Terminal::new(TestBackend::new(100, 30)).unwrap();
        terminal.draw(|frame| screen.draw(frame)).unwrap();
        let buffer = terminal.backend().buffer();
        let symbols: Vec<&str> = buffer.content.iter().map(|cell| cell.symbol()).collect();
        symbols.chunks(100).map(|line| line.concat() + "\n").collect()
    }

    #[test]
    fn figures_stand_on_the_screen() {
        let head = Head {
            title: "tiny on flex".into(),
            steps: 1000,
        };
        let mut screen = Screen::new(head, Vec::new());
        assert!(drawn(&screen).contains("waiting for the first pairs"));
        (0..400).map(row).for_each(|row| screen.add(row));
        screen.note("wrote a checkpoint".into());
        let text = drawn(&screen);
        for part in [
            "tiny on flex",
            "400/1000",
            "20 min 00 s",
            "0.7500",
            "20.0",
            "1.5 %",
            "procedural:4",
            "wrote a",
        ] {
            assert!(text.contains(part), "{part} is missing:\n{text}");
        }
    }

    #[test]
    fn odd_values_and_small_terminals_do_not_panic() {
        let head = Head {
            title: String::new(),
            steps: 0,
        };
        let mut screen = Screen::new(head, Vec::new());
        let mut odd = row(0);
        odd.report.loss = f32::NAN;
        odd.report.seconds = 0.0;
        screen.add(odd);
        drawn(&screen);
        let mut terminal = Terminal::new(TestBackend::new(9, 3)).unwrap();
        terminal.draw(|frame| screen.draw(frame)).unwrap();
    }

    #[test]
    fn durations_read_well() {
        assert_eq!(
            [5.0, 65.0, 3700.0, 90_000.0].map(duration),
            ["5 s", "1 min 05 s", "1 h 01 min", "1 d 1 h"]
        );
    }
}
