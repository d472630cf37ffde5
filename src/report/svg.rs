//! A few strokes of SVG: a frame with axes, and text that is safe to put into it.
//!
//! Colours are CSS classes of the page, so that plots follow light and dark.

use std::fmt::Write;

/// Columns of every plot's own coordinates; about the width of a phone, so that text keeps its size.
pub const WIDTH: f64 = 360.0;

/// Text with the five characters that mean something in HTML written out.
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

/// A drawing under way.
#[derive(Debug)]
pub struct Svg {
    body: String,
    height: f64,
}

impl Svg {
    /// An empty drawing of [`WIDTH`] by `height`.
    pub fn new(height: f64) -> Self {
        Self {
            body: String::new(),
            height,
        }
    }

    /// A rectangle.
    pub fn rect(&mut self, class: &str, [x, y, width, height]: [f64; 4], hint: &str) {
        let hint = match hint {
            "" => String::new(),
            hint => format!("<title>{}</title>", escape(hint)),
        };
        self.push(format_args!(
            r#"<rect class="{class}" x="{x:.1}" y="{y:.1}" width="{:.1}" height="{:.1}">{hint}</rect>"#,
            width.max(0.0),
            height.max(0.0)
        ));
    }

    /// A straight line.
    pub fn line(&mut self, class: &str, [x1, y1, x2, y2]: [f64; 4]) {
        self.push(format_args!(
            r#"<line class="{class}" x1="{x1:.1}" y1="{y1:.1}" x2="{x2:.1}" y2="{y2:.1}"/>"#
        ));
    }

    /// A dot.
    pub fn dot(&mut self, class: &str, x: f64, y: f64, radius: f64, hint: &str) {
        self.push(format_args!(
            r#"<circle class="{class}" cx="{x:.1}" cy="{y:.1}" r="{radius:.1}"><title>{}</title></circle>"#,
            escape(hint)
        ));
    }

    /// An open path through points, or a closed one.
    pub fn path(&mut self, class: &str, points: impl IntoIterator<Item = [f64; 2]>, closed: bool) {
        let mut data = String::new();
        for (i, [x, y]) in points.into_iter().enumerate() {
            let _ = write!(data, "{}{x:.1} {y:.1}", if i == 0 { "M" } else { "L" });
        }
        if closed {
            data.push('Z');
        }
        self.push(format_args!(r#"<path class="{class}" d="{data}"/>"#));
    }

    /// Text; `anchor` is `start`, `middle` or `end`.
    pub fn text(&mut self, class: &str, anchor: &str, x: f64, y: f64, text: &str) {
        self.push(format_args!(
            r#"<text class="{class}" text-anchor="{anchor}" x="{x:.1}" y="{y:.1}">{}</text>"#,
            escape(text)
        ));
    }

    /// A picture by its data address, its pixels kept sharp.
    pub fn image(&mut self, [x, y, width, height]: [f64; 4], address: &str) {
        self.push(format_args!(
            r#"<image x="{x:.1}" y="{y:.1}" width="{width:.1}" height="{height:.1}" preserveAspectRatio="none" href="{address}"/>"#
        ));
    }

    /// The drawing, with the sentence that stands for it where it is not seen.
    pub fn finish(self, says: &str) -> String {
        format!(
            r#"<svg viewBox="0 0 {WIDTH} {:.0}" role="img" aria-label="{}">{}</svg>"#,
            self.height,
            escape(says),
            self.body
        )
    }

    fn push(&mut self, piece: std::fmt::Arguments<'_>) {
        // Writing into a string cannot fail.
        let _ = self.body.write_fmt(piece);
    }
}

/// The frame of a plot: data ranges and where they lie in the drawing.
#[derive(Debug, Clone, Copy)]
pub struct Frame {
    /// Data range across.
    pub x: [f64; 2],
    /// Data range upwards.
    pub y: [f64; 2],
    /// Left, top, right and bottom of the frame in the drawing.
    pub area: [f64; 4],
}

impl Frame {
    /// Column of a data value.
    pub fn column(&self, x: f64) -> f64 {
        self.area[0] + (x - self.x[0]) / (self.x[1] - self.x[0]) * (self.area[2] - self.area[0])
    }

    /// Row of a data value.
    pub fn row(&self, y: f64) -> f64 {
        self.area[3] - (y - self.y[0]) / (self.y[1] - self.y[0]) * (self.area[3] - self.area[1])
    }

    /// Both.
    pub fn place(&self, x: f64, y: f64) -> [f64; 2] {
        [self.column(x), self.row(y)]
    }

    /// Grid lines, tick labels and the name of each axis.
    pub fn draw(&self, svg: &mut Svg, x_axis: (&str, &[(f64, String)]), y_axis: (&str, &[(f64, String)])) {
        let [left, top, right, bottom] = self.area;
        for (value, label) in y_axis.1 {
            let row = self.row(*value);
            svg.line("grid", [left, row, right, row]);
            svg.text("tick", "end", left - 5.0, row + 3.5, label);
        }
        for (value, label) in x_axis.1 {
            svg.text("tick", "middle", self.column(*value), bottom + 14.0, label);
        }
        svg.line("axis", [left, bottom, right, bottom]);
        svg.text("label", "middle", 0.5 * (left + right), bottom + 30.0, x_axis.0);
        svg.text("label", "start", left - 30.0, top - 9.0, y_axis.0);
    }
}

/// About `count` round values that cover `[low, high]`: 1, 2 or 5 times a power of ten apart.
pub fn ticks(low: f64, high: f64, count: usize) -> Vec<f64> {
    let raw = ((high - low) / count.max(1) as f64).max(1e-12);
    let power = libm::pow(10.0, libm::floor(libm::log10(raw)));
    let step = [1.0, 2.0, 5.0, 10.0]
        .map(|m| m * power)
        .into_iter()
        .find(|s| *s >= raw * 0.999);
    let step = step.unwrap_or(10.0 * power);
    let first = libm::ceil(low / step - 1e-9) as i64;
    let last = libm::floor(high / step + 1e-9) as i64;
    (first..=last).map(|i| i as f64 * step).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round() {
        assert_eq!(ticks(0.0, 1.0, 5).len(), 6);
        assert_eq!(ticks(0.0, 20.0, 4), [0.0, 5.0, 10.0, 15.0, 20.0]);
        assert!(ticks(3.0, 3.0, 4).len() <= 1);
    }

    #[test]
    fn text_cannot_leave_its_element() {
        let mut svg = Svg::new(10.0);
        svg.text("tick", "start", 0.0, 0.0, "</text><script>");
        let text = svg.finish("a \"quoted\" <name>");
        assert!(!text.contains("<script>") && text.contains("&quot;quoted&quot;"));
    }
}
