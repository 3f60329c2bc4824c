//! A timeline as SVG: panels above each other on one axis of time.
//!
//! It is a picture that says everything without a script. Its groups and `data-` attributes are what the page's script
//! (`assets/timelines.js`) finds again when it zooms: the two agree on the names, and on nothing else.

use std::fmt::Write;

use super::super::axis::Axis;
use super::super::canvas::{FINE, FONT, escape, path_data, unit};
use super::Timeline;
use super::series::{Kind, PANELS, Panel, PanelUnit, Rows, TimelineSeries};
use crate::report::printing::text;

/// Sizes in SVG units, as in the other charts.
pub(super) const WIDTH: i32 = 760;
pub(super) const LEFT: i32 = 84;
pub(super) const RIGHT: i32 = 22;
/// Room for the title, which a page has in a heading of its own.
const TITLE: i32 = 30;
const PANEL_TITLE: i32 = 26;
pub(super) const PANEL: i32 = 78;
const BOTTOM: i32 = 44;
const LABEL: i32 = 13;

/// Height of the whole.
pub(super) fn height() -> i32 {
    TITLE + PANELS.len() as i32 * (PANEL_TITLE + PANEL) + BOTTOM
}

/// Where the plot of a panel begins.
pub(super) fn top(panel: usize) -> i32 {
    TITLE + PANEL_TITLE + panel as i32 * (PANEL_TITLE + PANEL)
}

/// Room above the replicas for the marks of decisions, as a factor; the page's script knows it as well.
const ROOM_FOR_MARKS: f64 = 1.09;

/// The axis of a panel: wide enough for all of it and for the limits.
pub(super) fn axis(rows: &Rows, panel: usize, limits: &[(f64, String)]) -> Axis {
    let plain = |value: f64, decimals: usize| text::number(value, decimals);
    match PANELS[panel].measure {
        PanelUnit::Latency => {
            let ranges = (0..PANELS[panel].series.len()).filter_map(|series| rows.extent(panel, series));
            let all = ranges.chain(limits.iter().map(|(at, _)| (*at, *at)));
            let (low, high) = all.fold((f64::INFINITY, 0.0f64), |(a, b), (low, high)| (a.min(low), b.max(high)));
            Axis::duration(low, high, 4, "")
        }
        PanelUnit::Share => Axis::from_zero(1.0, 2, "", |value, _| format!("{:.0}%", value * 100.0)),
        PanelUnit::Rate => Axis::from_zero(rows.height(panel), 2, "", plain),
        PanelUnit::Replicas => Axis::from_zero(rows.height(panel) * ROOM_FOR_MARKS, 2, "", plain),
    }
}

/// The picture: a document of its own, or the element that a page embeds.
pub(super) fn svg(timeline: &Timeline, rows: &Rows, embedded: bool) -> String {
    let mut body = String::new();
    let x = Axis::time(timeline.end, 12).on(timeline.calendar.as_ref());
    bands(&mut body, timeline);
    for (panel, Panel { measure, .. }) in PANELS.iter().enumerate() {
        let limits = if *measure == PanelUnit::Latency { &timeline.limits[..] } else { &[] };
        draw_panel(&mut body, rows, panel, (&x, &axis(rows, panel, limits)), limits);
    }
    time_axis(&mut body, &x);
    marks(&mut body, timeline);
    let (name, size) = (&timeline.name, height());
    let (space, top) = match embedded {
        true => ("", TITLE - 8),
        false => {
            let title = label((LEFT, 22), 17, "start", ("c-textf", "#1a1a1a"), &timeline.title);
            body = format!("<rect width=\"{WIDTH}\" height=\"{size}\" fill=\"#ffffff\"/>\n{title}{body}");
            (" xmlns=\"http://www.w3.org/2000/svg\"", 0)
        }
    };
    format!(
        "<svg{space} class=\"timeline\" viewBox=\"0 {top} {WIDTH} {shown}\" width=\"{WIDTH}\" height=\"{shown}\" role=\"img\" \
         aria-labelledby=\"{name}-title {name}-desc\" font-family=\"{FONT}\">\n<title id=\"{name}-title\">{}</title>\n\
         <desc id=\"{name}-desc\">{}</desc>\n{body}</svg>\n",
        escape(&timeline.title),
        escape(&timeline.description),
        shown = size - top,
    )
}

/// A text; `look` is its class and colour.
fn label((x, y): (i32, i32), size: i32, anchor: &str, (class, color): (&str, &str), words: &str) -> String {
    let words = escape(words);
    format!(
        "<text class=\"{class}\" x=\"{x}\" y=\"{y}\" font-size=\"{size}\" text-anchor=\"{anchor}\" fill=\"{color}\">{words}</text>\n"
    )
}

const QUIET: (&str, &str) = ("c-axisf", "#595959");
const PLAIN: (&str, &str) = ("c-textf", "#1a1a1a");

/// Horizontal place of a moment, in tenths of a unit.
fn across(x: &Axis, at: f64) -> i32 {
    let range = x.range();
    let share = (x.place(at) - range.start) / (range.end - range.start);
    (f64::from(LEFT * FINE) + share * f64::from((WIDTH - LEFT - RIGHT) * FINE)).round() as i32
}

/// Vertical place of a value in a panel, in tenths of a unit.
fn down(y: &Axis, panel: usize, value: f64) -> i32 {
    let range = y.range();
    let share = (y.place(value) - range.start) / (range.end - range.start);
    (f64::from((top(panel) + PANEL) * FINE) - share * f64::from(PANEL * FINE)).round() as i32
}

/// Times that are unlike the rest: shaded over all panels, with their names.
fn bands(body: &mut String, timeline: &Timeline) {
    let x = Axis::time(timeline.end, 12).on(timeline.calendar.as_ref());
    let (high, low) = (top(0), top(PANELS.len() - 1) + PANEL);
    body.push_str("<g class=\"t-bands\">\n");
    for band in &timeline.bands {
        let (from, to) = (across(&x, band.from), across(&x, band.to));
        let (words, when) = (escape(&band.what), escape(&band.when));
        let (class, color) = if band.fault { ("t-faultf", "#f6d5cb") } else { ("t-warmf", "#ececec") };
        let _ = writeln!(
            body,
            "<g data-from=\"{}\" data-to=\"{}\"><title>{words}: {when}</title><rect class=\"{class}\" x=\"{}\" y=\"{high}\" \
             width=\"{}\" height=\"{}\" fill=\"{color}\"/><text class=\"c-textf\" x=\"{}\" y=\"{}\" font-size=\"11\" \
             fill=\"#1a1a1a\">{words}</text></g>",
            band.from,
            band.to,
            unit(from),
            unit((to - from).max(FINE)),
            low - high,
            unit(from + 3 * FINE),
            high + PANEL - 5,
        );
    }
    body.push_str("</g>\n");
}

/// One panel: title and legend above it, grid, series, limits, labels.
fn draw_panel(body: &mut String, rows: &Rows, panel: usize, (x, y): (&Axis, &Axis), limits: &[(f64, String)]) {
    let Panel { title, series, .. } = &PANELS[panel];
    let (above, base) = (top(panel), top(panel) + PANEL);
    let _ = writeln!(body, "<g class=\"t-panel\">");
    *body += &label((LEFT, above - 8), LABEL, "start", PLAIN, title);
    legend(body, title, series, (panel, limits));
    body.push_str("<g class=\"t-grid\">\n");
    for (value, words) in &y.ticks {
        let at = down(y, panel, *value);
        let (line, place) = (path_data([(LEFT * FINE, at), ((WIDTH - RIGHT) * FINE, at)]), at / FINE + 4);
        let _ = writeln!(body, "<path class=\"c-grid\" d=\"{line}\" fill=\"none\" stroke=\"#e3e3e3\"/>");
        *body += &label((LEFT - 8, place), 12, "end", QUIET, words);
    }
    for (at, _) in &x.ticks {
        let at = across(x, *at);
        let line = path_data([(at, above * FINE), (at, base * FINE)]);
        let _ = writeln!(body, "<path class=\"c-grid\" d=\"{line}\" fill=\"none\" stroke=\"#e3e3e3\"/>");
    }
    body.push_str("</g>\n");
    for (index, series) in series.iter().enumerate() {
        let data = series_path(rows, (panel, index), (x, y));
        let (class, color) = (series.class, series.color);
        let _ = match series.kind {
            Kind::Area | Kind::Stacked => {
                writeln!(body, "<path class=\"{class}f\" data-series=\"{index}\" d=\"{data}\" fill=\"{color}\"/>")
            }
            Kind::Most => {
                let width = if rows.each > 1 { "1" } else { "1.4" };
                writeln!(
                    body,
                    "<path class=\"{class}\" data-series=\"{index}\" d=\"{data}\" fill=\"none\" stroke=\"{color}\" \
                     stroke-width=\"{width}\"{} stroke-linejoin=\"round\"/>",
                    dash(series)
                )
            }
            Kind::Steps | Kind::Line => writeln!(
                body,
                "<path class=\"{class}{}\" data-series=\"{index}\" d=\"{data}\" fill=\"{}\" fill-opacity=\".35\" stroke=\"{color}\" \
                 stroke-width=\"{}\"{} stroke-linejoin=\"round\"/>",
                if rows.each > 1 { " range" } else { "" },
                if rows.each > 1 { color } else { "none" },
                if rows.each > 1 { ".8" } else { "1.4" },
                if rows.each > 1 { String::new() } else { dash(series) },
            ),
        };
    }
    for (value, _) in limits {
        let at = down(y, panel, *value);
        let line = path_data([(LEFT * FINE, at), ((WIDTH - RIGHT) * FINE, at)]);
        let _ = writeln!(
            body,
            "<path class=\"c-limit\" data-limit=\"{value}\" d=\"{line}\" fill=\"none\" stroke=\"#8a1538\" stroke-dasharray=\"5 3\"/>"
        );
    }
    let frame =
        path_data([(LEFT * FINE, above * FINE), (LEFT * FINE, base * FINE), ((WIDTH - RIGHT) * FINE, base * FINE)]);
    let _ = writeln!(body, "<path class=\"c-axis\" d=\"{frame}\" fill=\"none\" stroke=\"#595959\"/>\n</g>");
}

fn dash(series: &TimelineSeries) -> String {
    if series.dashes.is_empty() { String::new() } else { format!(" stroke-dasharray=\"{}\"", series.dashes) }
}

/// Samples of a panel's series, from the right; a series alone is named by the title.
fn legend(body: &mut String, title: &str, series: &[TimelineSeries], (panel, limits): (usize, &[(f64, String)])) {
    let y = top(panel) - 12;
    let mut x = LEFT + title.chars().count() as i32 * 8 + 18;
    if series.len() > 1 {
        for series in series {
            let (class, color) = (series.class, series.color);
            let _ = match series.kind {
                Kind::Area | Kind::Stacked => {
                    let place = format!("x=\"{x}\" y=\"{}\" width=\"22\" height=\"9\"", y - 4);
                    writeln!(body, "<rect class=\"{class}f\" {place} fill=\"{color}\"/>")
                }
                Kind::Steps | Kind::Most | Kind::Line => writeln!(
                    body,
                    "<path class=\"{class}\" d=\"M{x} {y}h22\" fill=\"none\" stroke=\"{color}\" stroke-width=\"2\"{}/>",
                    dash(series)
                ),
            };
            *body += &label((x + 27, y + 4), 12, "start", QUIET, series.name);
            x += 27 + series.name.chars().count() as i32 * 7 + 16;
        }
    }
    if let Some((_, words)) = limits.first() {
        let _ = writeln!(
            body,
            "<path class=\"c-limit\" d=\"M{x} {y}h22\" fill=\"none\" stroke=\"#8a1538\" stroke-dasharray=\"5 3\"/>"
        );
        let more = if limits.len() > 1 { format!(" and {} more", limits.len() - 1) } else { String::new() };
        *body += &label((x + 27, y + 4), 12, "start", QUIET, &format!("limit of “{words}”{more}"));
    }
}

/// Ticks of time below the last panel, and the unit.
fn time_axis(body: &mut String, x: &Axis) {
    let y = top(PANELS.len() - 1) + PANEL + 17;
    body.push_str("<g class=\"t-time\">\n");
    for (at, words) in &x.ticks {
        *body += &label((across(x, *at) / FINE, y), 12, "middle", QUIET, words);
    }
    *body += &label(((LEFT + WIDTH - RIGHT) / 2, y + 20), LABEL, "middle", QUIET, &x.title);
    body.push_str("</g>\n");
}

/// Decisions as small triangles at the top of the panel of replicas: the tip shows the direction.
fn marks(body: &mut String, timeline: &Timeline) {
    let x = Axis::time(timeline.end, 12).on(timeline.calendar.as_ref());
    let y = top(1);
    body.push_str("<g class=\"t-marks\">\n");
    for mark in &timeline.marks {
        let shape = if mark.up { "M0 1L3.5 7H-3.5Z" } else { "M0 8L3.5 2H-3.5Z" };
        let _ = writeln!(
            body,
            "<path class=\"c-textf\" data-at=\"{}\" transform=\"translate({} {y})\" d=\"{shape}\" fill=\"#1a1a1a\"><title>{}</title></path>",
            mark.at,
            unit(across(&x, mark.at)),
            escape(&mark.words)
        );
    }
    body.push_str("</g>\n");
}

/// The path of a series; rows without a value leave a gap.
fn series_path(rows: &Rows, (panel, series): (usize, usize), (x, y): (&Axis, &Axis)) -> String {
    let column = &rows.values[panel][series];
    let place = |at: f64, value: f64| (across(x, at), down(y, panel, value));
    let ends = |row: usize| (rows.edges[row], rows.edges[row + 1]);
    let kind = PANELS[panel].series[series].kind;
    let below = |row: usize| rows.below((panel, series), row);
    let mut data = String::new();
    let mut row = 0;
    while row < column.len() {
        let is_drawn = |row: &usize| match kind {
            Kind::Area | Kind::Stacked => column[*row].is_some_and(|(_, high)| high > below(*row)),
            Kind::Steps | Kind::Most | Kind::Line => column[*row].is_some(),
        };
        let length = (row..column.len()).take_while(is_drawn).count();
        let run = row..row + length;
        let value = |row: usize| column[row].unwrap_or((0.0, 0.0));
        data += &match kind {
            Kind::Area | Kind::Stacked => {
                let upper =
                    run.clone().flat_map(|row| [place(ends(row).0, value(row).1), place(ends(row).1, value(row).1)]);
                let lower =
                    run.clone().rev().flat_map(|row| [place(ends(row).1, below(row)), place(ends(row).0, below(row))]);
                let outline = path_data(upper.chain(lower));
                if outline.is_empty() { outline } else { outline + "Z" }
            }
            Kind::Steps | Kind::Most if kind == Kind::Most || rows.each == 1 => path_data(
                run.clone().flat_map(|row| [place(ends(row).0, value(row).1), place(ends(row).1, value(row).1)]),
            ),
            _ => {
                let points = line(run.clone().map(|row| (ends(row), value(row))).collect(), rows.each);
                let outline = path_data(points.into_iter().map(|(at, value)| place(at, value)));
                if rows.each > 1 && !outline.is_empty() { outline + "Z" } else { outline }
            }
        };
        row += length.max(1);
    }
    data
}

/// Points of a line through the middles of rows; of joined rows the outline of a band from the least values to the greatest. A row
/// alone is drawn as wide as it is, or it could not be seen.
fn line(rows: Vec<((f64, f64), (f64, f64))>, each: usize) -> Vec<(f64, f64)> {
    let alone = rows.len() == 1;
    let chain = |of: fn((f64, f64)) -> f64| -> Vec<(f64, f64)> {
        let points = rows.iter().flat_map(|((from, to), range)| match alone {
            true => vec![(*from, of(*range)), (*to, of(*range))],
            false => vec![(f64::midpoint(*from, *to), of(*range))],
        });
        points.collect()
    };
    let mut points = chain(|(_, high)| high);
    if each > 1 {
        points.extend(chain(|(low, _)| low).into_iter().rev());
    }
    points
}
