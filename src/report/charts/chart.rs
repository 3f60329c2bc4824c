//! A chart as plain values, and its drawing.

use std::convert::Infallible;

use plotters::chart::ChartBuilder;
use plotters::coord::Shift;
use plotters::drawing::{DrawingArea, DrawingAreaErrorKind, IntoDrawingArea};
use plotters::element::{Circle, PathElement, Polygon, Text};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{Color, FontTransform, IntoFont, ShapeStyle, TextStyle};

use super::axis::Axis;
use super::canvas::{Canvas, FINE, Ink, document};
use super::thin::Point;

/// Sizes in SVG units: a text column of 17 cm shows the smallest text at about 8 points.
pub(super) const WIDTH: i32 = 760;
pub(super) const LEFT: i32 = 84;
pub(super) const RIGHT: i32 = 22;
const TITLE: i32 = 17;
const LABEL: i32 = 13;
const LEGEND_ROW: i32 = 21;
const SAMPLE: i32 = 30;
/// Room for the labels of the horizontal axis.
const BOTTOM: i32 = 54;
/// Notes: their left end, the height of a line, and how many letters it holds.
const NOTE: i32 = 22;
const NOTE_ROW: i32 = 19;
pub(super) const NOTE_LETTERS: usize = 96;

/// One thing drawn in a panel. Points are in the units of the axes.
#[derive(Debug, Clone)]
pub(super) enum Mark {
    /// Lines; a gap lies between one and the next.
    Line { ink: Ink, segments: Vec<Vec<Point>> },
    /// Surfaces from the bottom of the panel up to the lines.
    Area { ink: Ink, segments: Vec<Vec<Point>> },
    /// Surfaces within closed outlines.
    Surface { ink: Ink, outlines: Vec<Vec<Point>> },
    /// A horizontal line across the panel.
    Across { ink: Ink, at: f64 },
    /// A ring around a point.
    Ring { ink: Ink, at: Point },
    /// A small disc at a point.
    Disc { ink: Ink, at: Point },
    /// A filled rectangle between two corners.
    Cell { ink: Ink, from: Point, to: Point },
    /// Words beside a point.
    Words { ink: Ink, at: Point, text: String, side: Side },
}

/// On which side of a point words stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Left,
    Around,
    Right,
}

impl Side {
    /// The end of the words that lies at the point.
    fn anchor(self) -> HPos {
        match self {
            Side::Left => HPos::Right,
            Side::Around => HPos::Center,
            Side::Right => HPos::Left,
        }
    }
}

/// How an entry of the legend looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sample {
    Line,
    Area,
    Ring,
}

/// A plot; all panels of a chart share the horizontal axis.
#[derive(Debug, Clone)]
pub(super) struct Panel {
    /// A line above the plot, with a sample of an ink if it belongs to one.
    pub(super) title: Option<(Option<Ink>, String)>,
    pub(super) height: i32,
    pub(super) y: Axis,
    pub(super) marks: Vec<Mark>,
}

/// A chart.
#[derive(Debug, Clone)]
pub(super) struct Chart {
    /// File name without its ending, also the prefix of identifiers.
    pub(super) name: String,
    pub(super) title: String,
    /// What it shows and says, for those who do not see it.
    pub(super) description: String,
    /// How to read it.
    pub(super) caption: String,
    pub(super) legend: Vec<(Sample, Ink, String)>,
    /// Lines of words below it.
    pub(super) notes: Vec<String>,
    pub(super) x: Axis,
    pub(super) panels: Vec<Panel>,
}

type Area<'a> = DrawingArea<Canvas<'a>, Shift>;
type Drawn = Result<(), DrawingAreaErrorKind<Infallible>>;

impl Chart {
    /// The SVG, as a document of its own or for embedding in a page.
    pub(super) fn svg(&self, embedded: bool) -> String {
        let mut body = String::new();
        let size = self.size();
        let drawn = self.draw(&Canvas { body: &mut body, size }.into_drawing_area());
        debug_assert!(drawn.is_ok(), "writing to a text cannot fail");
        document(&self.name, &self.title, &self.description, size, &body, embedded)
    }

    /// Width and height in SVG units.
    pub(super) fn size(&self) -> (u32, u32) {
        let panels: i32 = self.panels.iter().map(|panel| panel.height + title_height(panel)).sum();
        let notes = if self.notes.is_empty() { 0 } else { NOTE_ROW * self.notes.len() as i32 + 8 };
        (WIDTH as u32, (self.top() + panels + BOTTOM + notes) as u32)
    }

    /// Where the panels begin.
    fn top(&self) -> i32 {
        let rows = self.legend_places().last().map_or(0, |(_, y)| y - 36 + LEGEND_ROW);
        36 + rows
    }

    /// Left end and height of each legend entry: in rows from the left, broken where the estimated text would not fit.
    fn legend_places(&self) -> Vec<(i32, i32)> {
        let (mut x, mut y) = (LEFT, 36);
        let mut places = Vec::new();
        for (_, _, label) in &self.legend {
            let width = SAMPLE + 8 + text_width(label) + 20;
            if x > LEFT && x + width > WIDTH {
                (x, y) = (LEFT, y + LEGEND_ROW);
            }
            places.push((x, y));
            x += width;
        }
        places
    }

    fn draw(&self, root: &Area) -> Drawn {
        root.fill(&Ink::Paper.code())?;
        label(root, &self.title, (LEFT, 22), Ink::Text, title_size(&self.title), (HPos::Left, VPos::Bottom), false)?;
        for ((sample, ink, text), (x, y)) in self.legend.iter().zip(self.legend_places()) {
            let middle = y + LEGEND_ROW / 2;
            draw_sample(root, *sample, *ink, (x, middle))?;
            label(root, text, (x + SAMPLE + 8, middle), Ink::Text, LABEL, (HPos::Left, VPos::Center), false)?;
        }
        let mut top = self.top();
        for (index, panel) in self.panels.iter().enumerate() {
            top += title_height(panel);
            self.draw_panel(root, panel, top, index + 1 == self.panels.len())?;
            top += panel.height;
        }
        let middle = (LEFT + WIDTH - RIGHT) / 2;
        label(root, &self.x.title, (middle, top + 46), Ink::Axis, LABEL, (HPos::Center, VPos::Bottom), false)?;
        self.notes.iter().zip(0..).try_for_each(|(note, row)| {
            let at = (NOTE, top + BOTTOM + NOTE_ROW * row + NOTE_ROW / 2);
            label(root, note, at, Ink::Text, LABEL, (HPos::Left, VPos::Center), false)
        })
    }

    fn draw_panel(&self, root: &Area, panel: &Panel, top: i32, last: bool) -> Drawn {
        if let Some((ink, title)) = &panel.title {
            let middle = top - 13;
            let start = if ink.is_some() { LEFT + SAMPLE + 8 } else { LEFT };
            if let Some(ink) = ink {
                draw_sample(root, Sample::Line, *ink, (LEFT, middle))?;
            }
            label(root, title, (start, middle), Ink::Text, LABEL, (HPos::Left, VPos::Center), false)?;
        }
        let size = (fine(WIDTH - LEFT - RIGHT), fine(panel.height));
        let area = root.clone().shrink((fine(LEFT), fine(top)), size);
        let mut plot = ChartBuilder::on(&area).build_cartesian_2d(self.x.range(), panel.y.range())?;
        let place = |(x, y): Point| (self.x.place(x), panel.y.place(y));
        let (x_range, y_range) = (self.x.range(), panel.y.range());
        let grid: ShapeStyle = stroke(Ink::Grid, 10);
        let across = panel.y.ticks.iter().map(|(v, _)| panel.y.place(*v));
        plot.draw_series(across.map(|y| PathElement::new([(x_range.start, y), (x_range.end, y)], grid)))?;
        let along = self.x.ticks.iter().map(|(v, _)| self.x.place(*v));
        plot.draw_series(along.map(|x| PathElement::new([(x, y_range.start), (x, y_range.end)], grid)))?;
        for mark in &panel.marks {
            match mark {
                Mark::Line { ink, segments } => plot.draw_series(segments.iter().map(|segment| {
                    PathElement::new(segment.iter().copied().map(place).collect::<Vec<_>>(), stroke(*ink, 16))
                }))?,
                Mark::Area { ink, segments } => plot.draw_series(segments.iter().map(|segment| {
                    let ends = [segment.last(), segment.first()].into_iter().flatten();
                    let base = ends.map(|(x, _)| (self.x.place(*x), y_range.start));
                    surface(segment.iter().copied().map(place).chain(base), *ink)
                }))?,
                Mark::Surface { ink, outlines } => {
                    plot.draw_series(outlines.iter().map(|line| surface(line.iter().map(|at| place(*at)), *ink)))?
                }
                Mark::Across { ink, at } => {
                    let y = panel.y.place(*at);
                    plot.draw_series([PathElement::new([(x_range.start, y), (x_range.end, y)], stroke(*ink, 16))])?
                }
                Mark::Cell { ink, from, to } => {
                    let ((left, bottom), (right, top)) = (place(*from), place(*to));
                    let corners = [(left, bottom), (left, top), (right, top), (right, bottom)];
                    plot.draw_series([surface(corners.into_iter(), *ink)])?
                }
                // Written below, above all that is drawn.
                Mark::Words { .. } => continue,
                Mark::Disc { ink, at } => plot.draw_series([Circle::new(place(*at), fine(3), ink.code().filled())])?,
                Mark::Ring { ink, at } => plot.draw_series([Circle::new(place(*at), fine(6), stroke(*ink, 20))])?,
            };
        }
        let (start, end) = (x_range.start, y_range.start);
        let frame = [(start, y_range.end), (start, end), (x_range.end, end)];
        plot.draw_series([PathElement::new(frame, stroke(Ink::Axis, 10))])?;
        let coarse = |fine: i32| (fine + FINE / 2) / FINE;
        for mark in &panel.marks {
            let Mark::Words { ink, at, text, side } = mark else { continue };
            let (x, y) = plot.backend_coord(&place(*at));
            label(root, text, (coarse(x), coarse(y)), *ink, LABEL, (side.anchor(), VPos::Center), false)?;
        }
        for (value, text) in &panel.y.ticks {
            let y = coarse(plot.backend_coord(&(x_range.start, panel.y.place(*value))).1);
            label(root, text, (LEFT - 8, y), Ink::Axis, LABEL, (HPos::Right, VPos::Center), false)?;
        }
        for (value, text) in self.x.ticks.iter().filter(|_| last) {
            let x = coarse(plot.backend_coord(&(self.x.place(*value), y_range.start)).0);
            label(root, text, (x, top + panel.height + 8), Ink::Axis, LABEL, (HPos::Center, VPos::Top), false)?;
        }
        label(root, &panel.y.title, (12, top + panel.height / 2), Ink::Axis, LABEL, (HPos::Center, VPos::Center), true)
    }
}

/// The size at which a title fits, down to that of labels.
fn title_size(title: &str) -> i32 {
    let letters = (title.chars().count() as i32).max(1);
    ((WIDTH - LEFT - RIGHT) * 10 / (letters * 6)).clamp(LABEL, TITLE)
}

/// Room above a panel: for its title, or so that the labels of two panels keep apart.
fn title_height(panel: &Panel) -> i32 {
    if panel.title.is_some() { 30 } else { 22 }
}

fn fine(units: i32) -> i32 {
    units * FINE
}

/// A surface within an outline, in the units of the plot.
fn surface(outline: impl Iterator<Item = Point>, ink: Ink) -> Polygon<Point> {
    Polygon::new(outline.collect::<Vec<_>>(), ink.code().filled())
}

/// A stroke whose width is in tenths of an SVG unit.
fn stroke(ink: Ink, width: u32) -> ShapeStyle {
    ink.code().stroke_width(width)
}

/// An estimate of a label's width that is seldom exceeded by the embedded font.
fn text_width(text: &str) -> i32 {
    (text.chars().count() as i32 * LABEL * 6 + 9) / 10
}

fn draw_sample(root: &Area, sample: Sample, ink: Ink, (x, y): (i32, i32)) -> Drawn {
    let (left, right, y) = (fine(x), fine(x + SAMPLE), fine(y));
    match sample {
        Sample::Line => root.draw(&PathElement::new([(left, y), (right, y)], stroke(ink, 22))),
        Sample::Area => {
            let (top, bottom) = (y - fine(6), y + fine(6));
            let corners = [(left, top), (right, top), (right, bottom), (left, bottom)];
            root.draw(&Polygon::new(corners, ink.code().filled()))
        }
        Sample::Ring => root.draw(&Circle::new(((left + right) / 2, y), fine(6), stroke(ink, 20))),
    }
}

fn label(
    root: &Area,
    text: &str,
    (x, y): (i32, i32),
    ink: Ink,
    size: i32,
    (h, v): (HPos, VPos),
    upright: bool,
) -> Drawn {
    if text.is_empty() {
        return Ok(());
    }
    let turn = if upright { FontTransform::Rotate270 } else { FontTransform::None };
    let font = ("sans-serif", fine(size)).into_font().transform(turn);
    let code = ink.code();
    let style = TextStyle::from(font).color(&code).pos(Pos::new(h, v));
    root.draw(&Text::new(text, (fine(x), fine(y)), style))
}
