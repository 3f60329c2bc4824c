//! A plotters backend that writes SVG with fractional coordinates.
//!
//! plotters counts in integers and its own SVG backend writes them as they are, which turns lines into steps. Here one
//! plotters pixel is a tenth of an SVG unit. Colours reach the backend as [`Ink`] numbers: it knows each ink's colour,
//! class (for a page's dark theme) and dashes, which plotters' styles cannot carry.

use std::convert::Infallible;
use std::fmt::Write;

use plotters::style::RGBColor;
use plotters_backend::text_anchor::{HPos, VPos};
use plotters_backend::{
    BackendColor, BackendCoord, BackendStyle, BackendTextStyle, DrawingBackend, DrawingErrorKind, FontTransform,
};

/// plotters pixels per SVG unit.
pub(super) const FINE: i32 = 10;

/// The font: the embedded one, its look-alike on systems without it, and whatever there is.
pub(super) const FONT: &str = "'DejaVu Sans', Verdana, sans-serif";

/// Okabe and Ito's colours for all kinds of colour vision ("Color Universal Design", 2008) without yellow, which is too
/// light for lines on white; black last.
const PALETTE: [&str; 7] = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000"];

/// Dashes of the series: their number shares no divisor with the colours', so that 35 series differ.
const DASHES: [&str; 5] = ["", "9 3", "3 2.5", "9 3 2.5 3", "16 4"];

/// Brewer's sequential blues, light to dark (Harrower and Brewer, "ColorBrewer.org", 2003).
const BLUES: [&str; HEATS as usize] = ["#eff3ff", "#c6dbef", "#9ecae1", "#6baed6", "#4292c6", "#2171b5", "#084594"];

/// Steps of a heat map.
pub(super) const HEATS: u8 = 7;

/// What a stroke or a surface stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ink {
    /// The background.
    Paper,
    /// Text.
    Text,
    /// Less important text and axes.
    Axis,
    /// Grid lines.
    Grid,
    /// Capacity that was needed.
    Needed,
    /// Capacity that was needed and missing.
    Short,
    /// An objective.
    Limit,
    /// The n-th policy among others.
    Series(u8),
    /// The n-th policy where it is alone: its colour without its dashes.
    Alone(u8),
    /// A step of a heat map, from 0, the lowest; it and the words on it look the same in every theme.
    Heat(u8),
    /// Words on a dark step of a heat map.
    Light,
    /// Words on a light step of a heat map.
    Dark,
}

impl Ink {
    /// The ink as plotters carries it: a number, not a colour.
    pub(super) const fn code(self) -> RGBColor {
        match self {
            Ink::Paper => RGBColor(0, 0, 0),
            Ink::Text => RGBColor(0, 1, 0),
            Ink::Axis => RGBColor(0, 2, 0),
            Ink::Grid => RGBColor(0, 3, 0),
            Ink::Needed => RGBColor(0, 4, 0),
            Ink::Short => RGBColor(0, 5, 0),
            Ink::Limit => RGBColor(0, 6, 0),
            Ink::Series(n) => RGBColor(1, n, 0),
            Ink::Alone(n) => RGBColor(2, n, 0),
            Ink::Heat(n) => RGBColor(3, n, 0),
            Ink::Light => RGBColor(4, 0, 0),
            Ink::Dark => RGBColor(4, 1, 0),
        }
    }

    fn decode(color: BackendColor) -> Ink {
        match color.rgb {
            (1, n, _) => Ink::Series(n),
            (2, n, _) => Ink::Alone(n),
            (3, n, _) => Ink::Heat(n),
            (4, 0, _) => Ink::Light,
            (4, ..) => Ink::Dark,
            (_, 0, _) => Ink::Paper,
            (_, 1, _) => Ink::Text,
            (_, 2, _) => Ink::Axis,
            (_, 3, _) => Ink::Grid,
            (_, 4, _) => Ink::Needed,
            (_, 5, _) => Ink::Short,
            _ => Ink::Limit,
        }
    }

    fn color(self) -> &'static str {
        match self {
            Ink::Paper => "#ffffff",
            Ink::Text => "#1a1a1a",
            Ink::Axis => "#595959",
            Ink::Grid => "#e3e3e3",
            Ink::Needed => "#cfd4da",
            Ink::Short => "#e8836b",
            Ink::Limit => "#8a1538",
            Ink::Series(n) | Ink::Alone(n) => PALETTE[usize::from(n) % PALETTE.len()],
            Ink::Heat(n) => BLUES[usize::from(n) % BLUES.len()],
            Ink::Light => "#ffffff",
            Ink::Dark => "#1a1a1a",
        }
    }

    /// The class that a page's style sheet may restyle.
    fn class(self) -> String {
        match self {
            Ink::Paper => "c-paper".into(),
            Ink::Text => "c-text".into(),
            Ink::Axis => "c-axis".into(),
            Ink::Grid => "c-grid".into(),
            Ink::Needed => "c-needed".into(),
            Ink::Short => "c-short".into(),
            Ink::Limit => "c-limit".into(),
            Ink::Series(n) | Ink::Alone(n) => format!("c-{}", usize::from(n) % PALETTE.len()),
            Ink::Heat(n) => format!("c-heat-{}", usize::from(n) % BLUES.len()),
            Ink::Light => "c-light".into(),
            Ink::Dark => "c-dark".into(),
        }
    }

    fn dashes(self) -> &'static str {
        match self {
            Ink::Limit => "5 3",
            Ink::Series(n) => DASHES[usize::from(n) % DASHES.len()],
            _ => "",
        }
    }
}

/// The backend: appends SVG elements to a text.
pub(super) struct Canvas<'a> {
    /// The elements so far, without the `svg` element around them.
    pub(super) body: &'a mut String,
    /// Width and height in SVG units.
    pub(super) size: (u32, u32),
}

type Drawn = Result<(), DrawingErrorKind<Infallible>>;

/// Escapes text for XML and drops what XML cannot hold.
pub(super) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => escaped.push(' '),
            c => escaped.push(c),
        }
    }
    escaped
}

/// A coordinate in SVG units, exact: at most one decimal.
pub(super) fn unit(fine: i32) -> String {
    let (whole, tenth) = (fine.abs() / FINE, fine.abs() % FINE);
    let sign = if fine < 0 { "-" } else { "" };
    if tenth == 0 { format!("{sign}{whole}") } else { format!("{sign}{whole}.{tenth}") }
}

/// Path data: horizontal and vertical moves in their short form, points that repeat left out.
pub(super) fn path_data(points: impl IntoIterator<Item = BackendCoord>) -> String {
    let mut data = String::new();
    let mut last: Option<BackendCoord> = None;
    for (x, y) in points {
        match last {
            None => data += &format!("M{} {}", unit(x), unit(y)),
            Some((px, py)) if (px, py) == (x, y) => {}
            Some((_, py)) if py == y => data += &format!("H{}", unit(x)),
            Some((px, _)) if px == x => data += &format!("V{}", unit(y)),
            Some(_) => data += &format!("L{} {}", unit(x), unit(y)),
        }
        last = Some((x, y));
    }
    data
}

impl Canvas<'_> {
    fn shape<S: BackendStyle>(&mut self, element: &str, geometry: &str, style: &S, fill: bool) -> Drawn {
        let ink = Ink::decode(style.color());
        let _ = write!(self.body, "<{element} class=\"{}{}\" {geometry} ", ink.class(), if fill { "f" } else { "" });
        if fill {
            let _ = writeln!(self.body, "fill=\"{}\"/>", ink.color());
            return Ok(());
        }
        let width = unit(style.stroke_width() as i32);
        let _ = write!(self.body, "fill=\"none\" stroke=\"{}\" stroke-width=\"{width}\"", ink.color());
        if !ink.dashes().is_empty() {
            let _ = write!(self.body, " stroke-dasharray=\"{}\"", ink.dashes());
        }
        self.body.push_str(" stroke-linejoin=\"round\"/>\n");
        Ok(())
    }
}

impl DrawingBackend for Canvas<'_> {
    type ErrorType = Infallible;

    fn get_size(&self) -> (u32, u32) {
        (self.size.0 * FINE as u32, self.size.1 * FINE as u32)
    }

    fn ensure_prepared(&mut self) -> Drawn {
        Ok(())
    }

    fn present(&mut self) -> Drawn {
        Ok(())
    }

    fn draw_pixel(&mut self, point: BackendCoord, color: BackendColor) -> Drawn {
        self.draw_rect(point, (point.0 + 1, point.1 + 1), &color, true)
    }

    fn draw_line<S: BackendStyle>(&mut self, from: BackendCoord, to: BackendCoord, style: &S) -> Drawn {
        self.draw_path([from, to], style)
    }

    fn draw_rect<S: BackendStyle>(&mut self, a: BackendCoord, b: BackendCoord, style: &S, fill: bool) -> Drawn {
        let data = path_data([a, (b.0, a.1), b, (a.0, b.1)]);
        self.shape("path", &format!("d=\"{data}Z\""), style, fill)
    }

    fn draw_path<S: BackendStyle, I: IntoIterator<Item = BackendCoord>>(&mut self, path: I, style: &S) -> Drawn {
        let data = path_data(path);
        self.shape("path", &format!("d=\"{data}\""), style, false)
    }

    fn fill_polygon<S: BackendStyle, I: IntoIterator<Item = BackendCoord>>(&mut self, path: I, style: &S) -> Drawn {
        let data = path_data(path);
        self.shape("path", &format!("d=\"{data}Z\""), style, true)
    }

    fn draw_circle<S: BackendStyle>(&mut self, at: BackendCoord, radius: u32, style: &S, fill: bool) -> Drawn {
        // Drawn as a path without dashes: a ring marks a point, whatever the line through it looks like.
        let (left, right, r) = (unit(at.0 - radius as i32), unit(at.0 + radius as i32), unit(radius as i32));
        let y = unit(at.1);
        let data =
            format!("d=\"M{left} {y}A{r} {r} 0 1 1 {right} {y}A{r} {r} 0 1 1 {left} {y}Z\" stroke-dasharray=\"none\"");
        let ink = Ink::decode(style.color());
        if fill {
            return self.shape("path", &data, style, true);
        }
        let width = unit(style.stroke_width() as i32);
        let (class, color) = (ink.class(), ink.color());
        let _ = writeln!(
            self.body,
            "<path class=\"{class}\" {data} fill=\"none\" stroke=\"{color}\" stroke-width=\"{width}\"/>"
        );
        Ok(())
    }

    fn draw_text<T: BackendTextStyle>(&mut self, text: &str, style: &T, at: BackendCoord) -> Drawn {
        let ink = Ink::decode(style.color());
        let size = style.size() as i32;
        // Distances from the baseline that centre or hang lower-case letters and digits of the embedded font.
        let drop = match style.anchor().v_pos {
            VPos::Top => size * 76 / 100,
            VPos::Center => size * 36 / 100,
            VPos::Bottom => 0,
        };
        let anchor = match style.anchor().h_pos {
            HPos::Left => "start",
            HPos::Center => "middle",
            HPos::Right => "end",
        };
        let (x, y, turn) = match style.transform() {
            FontTransform::None => (unit(at.0), unit(at.1 + drop), String::new()),
            _ => {
                let (x, y) = (unit(at.0 + drop), unit(at.1));
                let turn = format!(" transform=\"rotate(-90 {x} {y})\"");
                (x, y, turn)
            }
        };
        let (class, color, size, text) = (ink.class(), ink.color(), unit(size), escape(text));
        let _ = writeln!(
            self.body,
            "<text class=\"{class}f\" x=\"{x}\" y=\"{y}\"{turn} font-size=\"{size}\" text-anchor=\"{anchor}\" fill=\"{color}\">{text}</text>"
        );
        Ok(())
    }
}

/// The whole SVG document, or the element alone as a page embeds it. `name` must be unique in the page.
pub(super) fn document(
    name: &str,
    title: &str,
    description: &str,
    size: (u32, u32),
    body: &str,
    embedded: bool,
) -> String {
    let (width, height) = size;
    let space = if embedded { String::new() } else { " xmlns=\"http://www.w3.org/2000/svg\"".into() };
    format!(
        "<svg{space} viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\" role=\"img\" \
         aria-labelledby=\"{name}-title {name}-desc\" font-family=\"{FONT}\">\n\
         <title id=\"{name}-title\">{}</title>\n<desc id=\"{name}-desc\">{}</desc>\n{body}</svg>\n",
        escape(title),
        escape(description),
    )
}

/// A document that turns dark where its reader's screen is: with the colours of the page's dark theme.
pub(super) fn with_dark_theme(svg: &str) -> String {
    const PAGE: &str = include_str!("../../../assets/report.css");
    let dark = PAGE.split_once("(prefers-color-scheme: dark) {").map_or("", |(_, rest)| rest);
    let dark = dark.split_once("\n}").map_or("", |(rules, _)| rules);
    let rules = dark.lines().filter_map(|line| line.trim().strip_prefix("svg ").filter(|rule| rule.starts_with(".c-")));
    let rules: String = rules.map(|rule| format!("{rule}\n")).collect();
    let color = |name: &str| {
        let after = dark.split_once(name).map_or("", |(_, rest)| rest);
        after.split_once(';').map_or("", |(color, _)| color)
    };
    let (paper, text) = (color("--paper: "), color("--text: "));
    let style = format!(
        "</desc>\n<style>@media (prefers-color-scheme: dark) {{\n.c-paperf {{ fill: {paper}; }}\n.c-text {{ stroke: {text}; }}\n\
         {rules}}}</style>\n"
    );
    svg.replacen("</desc>\n", &style, 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_exact_and_short() {
        assert_eq!(path_data([(0, 5), (10, 5), (10, 5), (10, -3), (27, 31)]), "M0 0.5H1V-0.3L2.7 3.1");
    }

    #[test]
    fn the_dark_theme_is_that_of_the_page() {
        let themed = with_dark_theme(&document("a", "A", "B", (1, 1), "", false));
        let style = themed.split_once("<style>").unwrap().1;
        for rule in [".c-paperf { fill: #14171a; }", ".c-textf { fill: #e8e8e8; }", ".c-0 { stroke: #4aa8e8; }"] {
            assert!(style.contains(rule), "{style}");
        }
        assert!(!style.contains("--text") && !style.contains("svg ."), "{style}");
    }

    #[test]
    fn inks_survive_plotters() {
        use plotters::style::Color;
        let inks = [
            Ink::Paper,
            Ink::Text,
            Ink::Axis,
            Ink::Grid,
            Ink::Needed,
            Ink::Short,
            Ink::Limit,
            Ink::Series(9),
            Ink::Alone(3),
            Ink::Heat(6),
            Ink::Light,
            Ink::Dark,
        ];
        for ink in inks {
            assert_eq!(Ink::decode(ink.code().to_backend_color()), ink);
        }
    }

    #[test]
    fn text_cannot_break_out() {
        assert_eq!(escape("<a href=\"x\">&\u{1}"), "&lt;a href=&quot;x&quot;&gt;&amp; ");
    }
}
