//! `report.html` as a document: valid markup, no external resources, accessible, small.

use std::collections::{BTreeMap, BTreeSet};

use plimsoll::experiment::{Fault, Outcome};
use plimsoll::units::SimTime;
use rstest::rstest;

use super::words::compared;
use super::{DAY, blank, files, synthetic, without_services};

/// A start tag and its attributes, an end tag, or text.
#[derive(Debug)]
enum Token<'a> {
    Start { name: &'a str, attributes: BTreeMap<&'a str, &'a str>, closed: bool },
    End(&'a str),
    Text(&'a str),
}

/// Elements that have no end tag.
const VOID: [&str; 3] = ["meta", "br", "link"];

/// Splits a page into tokens; the content of `script` and `style` is one text.
fn tokens(page: &str) -> Vec<Token<'_>> {
    let mut found = Vec::new();
    let mut rest = page.trim_start().strip_prefix("<!doctype html>").expect("a document type");
    while let Some(open) = rest.find('<') {
        if open > 0 {
            found.push(Token::Text(&rest[..open]));
        }
        let close = open + tag_end(&rest[open..]);
        let tag = &rest[open + 1..close];
        rest = &rest[close + 1..];
        if let Some(name) = tag.strip_prefix('/') {
            found.push(Token::End(name));
            continue;
        }
        let closed = tag.ends_with('/');
        let tag = tag.trim_end_matches('/');
        let name = tag.split_whitespace().next().unwrap();
        found.push(Token::Start { name, attributes: attributes(&tag[name.len()..]), closed });
        if name == "script" || name == "style" {
            let end = rest.find(&format!("</{name}>")).expect("the end of a raw element");
            found.push(Token::Text(&rest[..end]));
            rest = &rest[end..];
        }
    }
    found
}

/// End of a tag: the first `>` outside of quotes.
fn tag_end(tag: &str) -> usize {
    let mut quoted = false;
    let at = tag.char_indices().find(|(_, c)| {
        quoted ^= *c == '"';
        *c == '>' && !quoted
    });
    at.unwrap_or_else(|| panic!("a tag without an end: {}", &tag[..tag.len().min(200)])).0
}

fn attributes(mut text: &str) -> BTreeMap<&str, &str> {
    let mut found = BTreeMap::new();
    loop {
        text = text.trim_start();
        let end = text.find(|c: char| c == '=' || c.is_whitespace()).unwrap_or(text.len());
        let name = &text[..end];
        if name.is_empty() {
            return found;
        }
        text = &text[end..];
        let value = match text.strip_prefix("=\"") {
            Some(after) => {
                let close = after.find('"').expect("a closing quote");
                text = &after[close + 1..];
                &after[..close]
            }
            None => "",
        };
        assert!(!text.starts_with('='), "an attribute without quotes: {name}");
        assert!(found.insert(name, value).is_none(), "{name} twice");
    }
}

fn page(outcome: &Outcome) -> String {
    String::from_utf8(files(outcome).remove("report.html").unwrap()).unwrap()
}

/// Labels that try to break out of their context.
fn evil() -> Outcome {
    let evil = "</script><script>alert(1)</script>\"' onload=x <!-- & \u{7}";
    let mut outcome = compared();
    outcome.title = evil.into();
    outcome.faults = vec![Fault { what: evil.into(), from: SimTime::from_secs(60), to: SimTime::from_secs(6000) }];
    outcome.traffic[0].service = evil.into();
    outcome.traffic[0].steps = vec![evil.into()];
    for run in &mut outcome.runs {
        run.policy.push_str(evil);
        run.services[0].name = evil.into();
        run.services[0].objectives[0].text = evil.into();
        run.services[0].decisions.iter_mut().for_each(|decision| decision.detail = evil.into());
    }
    for arm in &mut outcome.replicated.as_mut().unwrap().arms {
        arm.label.push_str(evil);
    }
    let level = outcome.level.as_mut().unwrap();
    level.objectives[0].text = evil.into();
    level.tuned.iter_mut().for_each(|tuned| tuned.policy.push_str(evil));
    outcome
}

/// Elements are closed in the order in which they were opened, identifiers are unique, and references find their
/// element.
#[rstest]
#[case::a_day(DAY.clone())]
#[case::compared(compared())]
#[case::evil(evil())]
#[case::blank(blank())]
#[case::no_runs(synthetic::empty())]
#[case::no_services(without_services())]
fn the_markup_is_sound(#[case] outcome: Outcome) {
    let page = page(&outcome);
    let (mut open, mut ids, mut named) = (Vec::new(), BTreeSet::new(), BTreeSet::new());
    let mut scripts = 0;
    for token in tokens(&page) {
        match token {
            Token::Start { name, attributes, closed } => {
                scripts += usize::from(name == "script" && attributes.is_empty());
                let unexpected = attributes.keys().find(|key| key.starts_with("on"));
                assert!(unexpected.is_none(), "{name} {unexpected:?}");
                if let Some(id) = attributes.get("id") {
                    assert!(ids.insert(id.to_string()), "{id} twice");
                }
                let lists = ["aria-labelledby", "aria-describedby"].into_iter().filter_map(|key| attributes.get(key));
                named.extend(lists.flat_map(|list| list.split_whitespace()).map(str::to_string));
                if !closed && !VOID.contains(&name) {
                    open.push(name);
                }
            }
            Token::End(name) => assert_eq!(open.pop(), Some(name)),
            Token::Text(text) => assert!(!text.contains("alert(1)</") || text.contains("&lt;"), "{text}"),
        }
    }
    assert!(open.is_empty(), "{open:?}");
    assert!(scripts <= 1, "{scripts} scripts that run");
    assert!(named.is_subset(&ids), "{:?}", named.difference(&ids).collect::<Vec<_>>());
}

/// Every link leads into the page or to a file next to it; nothing is loaded.
#[rstest]
#[case::a_day(DAY.clone())]
#[case::compared(compared())]
fn links_lead_to_what_is_there(#[case] outcome: Outcome) {
    let files = files(&outcome);
    let page = std::str::from_utf8(&files["report.html"]).unwrap();
    let tokens = tokens(page);
    let ids: BTreeSet<&str> = tokens.iter().filter_map(|token| attribute(token, "id")).collect();
    let mut linked = BTreeSet::new();
    for token in &tokens {
        assert!(attribute(token, "src").is_none() && attribute(token, "xlink:href").is_none(), "{token:?}");
        let Some(target) = attribute(token, "href") else { continue };
        match target.strip_prefix('#') {
            Some(id) => assert!(ids.contains(id), "{target}"),
            None => {
                assert!(files.contains_key(target), "{target} is not written");
                linked.insert(target.to_string());
            }
        }
    }
    for elsewhere in ["http:", "https:", "//cdn", "url(", "@import", "<link", "fetch(", "XMLHttpRequest", "import("] {
        assert!(!page.contains(elsewhere), "{elsewhere}");
    }
    // All files are linked from the page: each chart and the data behind it.
    let all: BTreeSet<String> =
        files.keys().filter(|name| *name != "report.html" && *name != "misses.csv").cloned().collect();
    assert_eq!(linked, all);
}

fn attribute<'a>(token: &Token<'a>, name: &str) -> Option<&'a str> {
    match token {
        Token::Start { attributes, .. } => attributes.get(name).copied(),
        _ => None,
    }
}

/// The summary's links lead to existing files, in the order of the page.
#[test]
fn the_summary_has_the_order_of_the_page() {
    let files = files(&compared());
    let summary = std::str::from_utf8(&files["summary.md"]).unwrap();
    let mut at = 0;
    let mut headings = vec!["## What was asked", "## The answer", "## How sure it is", "## Policies side by side"];
    headings.extend(["### Figures with intervals", "### Paired differences", "### One run in full"]);
    headings.extend(cfg!(feature = "charts").then_some("## Charts"));
    headings.extend([
        "## Why requests were bad",
        "## Bill",
        "## Assumptions",
        "## How to repeat this",
        "### Checksums",
    ]);
    for heading in headings {
        let next =
            summary[at..].find(&format!("{heading}\n")).unwrap_or_else(|| panic!("{heading} is missing or late"));
        at += next;
    }
    for target in summary.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
        assert!(files.contains_key(target), "{target}");
    }
}

/// Landmarks, headings in order, tables with captions and scopes, pictures with names: what a screen reader needs.
#[rstest]
#[case::a_day(DAY.clone())]
#[case::compared(compared())]
fn the_page_can_be_read_aloud(#[case] outcome: Outcome) {
    let page = page(&outcome);
    let tokens = tokens(&page);
    let starts = |wanted: &str| {
        tokens
            .iter()
            .filter(move |token| matches!(token, Token::Start { name, .. } if *name == wanted))
            .collect::<Vec<_>>()
    };
    assert_eq!(attribute(starts("html")[0], "lang"), Some("en"));
    for landmark in ["header", "nav", "main"] {
        assert_eq!(starts(landmark).len(), 1, "{landmark}");
    }
    let levels = tokens.iter().filter_map(|token| match token {
        Token::Start { name: "h1", .. } => Some(1),
        Token::Start { name: "h2", .. } => Some(2),
        Token::Start { name: "h3", .. } => Some(3),
        _ => None,
    });
    let levels: Vec<i32> = levels.collect();
    assert!(levels[0] == 1 && levels.windows(2).all(|pair| pair[1] > 1 && pair[1] <= pair[0] + 1), "{levels:?}");
    assert_eq!(starts("table").len(), starts("caption").len());
    for head in starts("th") {
        assert!(attribute(head, "scope").is_some(), "{head:?}");
    }
    for picture in starts("svg") {
        assert_eq!(attribute(picture, "role"), Some("img"), "{picture:?}");
        assert!(attribute(picture, "aria-labelledby").is_some(), "{picture:?}");
    }
    assert!(starts("desc").len() == starts("svg").len());
    let order = ["summary", "policies", "violations", "decisions", "bill", "assumptions", "origin"];
    let places: Vec<Option<usize>> = order.iter().map(|id| page.find(&format!("<h2 id=\"{id}\""))).collect();
    assert!(places.windows(2).all(|pair| pair[0].is_some() && pair[0] < pair[1]), "{places:?}");
}

/// The text of a picture describes its content in figures, which are those of the run.
#[cfg(feature = "charts")]
#[test]
fn timelines_say_and_hold_their_figures() {
    let page = page(&DAY);
    let service = &DAY.runs[0].services[0];
    let mean = format!("{:.1} on average", service.mean_ready);
    assert!(page.contains(&mean), "{mean}");
    let holds: Vec<serde_json::Value> = tokens(&page)
        .windows(2)
        .filter_map(|pair| match pair {
            [Token::Start { name: "script", attributes, .. }, Token::Text(text)] if !attributes.is_empty() => {
                Some(text)
            }
            _ => None,
        })
        .map(|text| serde_json::from_str(text).unwrap())
        .collect();
    assert_eq!(holds.len(), DAY.runs.len());
    for (data, run) in holds.iter().zip(&DAY.runs) {
        let edges = data["edges"].as_array().unwrap();
        let arrivals = data["panels"][0]["series"][0]["high"].as_array().unwrap();
        assert_eq!((edges.len(), arrivals.len()), (arrivals.len() + 1, run.services[0].timeline.len()));
        for (shown, interval) in arrivals.iter().zip(&run.services[0].timeline) {
            let rate = interval.arrived as f64 / 60.0;
            assert!((shown.as_f64().unwrap() - rate).abs() <= 5e-4 * rate, "{shown} for {rate}");
        }
        let marks = run.services[0].decisions.iter().filter(|decision| decision.from != decision.to).count();
        assert!(marks == 0 || page.contains("data-at="), "{marks}");
    }
}

/// Lost zones are shaded in every timeline, with their times.
#[cfg(feature = "charts")]
#[test]
fn faults_are_marked_in_the_timelines() {
    let mut outcome = DAY.clone();
    outcome.faults =
        vec![Fault { what: "zone b lost".into(), from: SimTime::from_secs(7200), to: SimTime::from_secs(7800) }];
    let page = page(&outcome);
    assert_eq!(page.matches("<title>zone b lost: 02:00:00 to 02:10:00</title>").count(), outcome.runs.len());
}

/// The shipped scenario with the largest page that runs within seconds.
#[cfg(feature = "charts")]
#[test]
fn a_shipped_scenario_stays_far_below_two_megabytes() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/shop-peak.yaml");
    let mut sink = plimsoll::config::Diagnostics::new();
    let scenario = plimsoll::scenario::Scenario::read(&path, &[], &mut sink).unwrap_or_else(|| panic!("{sink}"));
    let outcome = plimsoll::experiment::run(&scenario, "plimsoll run", 0, &|_, _| {}).unwrap();
    let size = page(&outcome).len();
    assert!((300_000..1_200_000).contains(&size), "{size} bytes");
}

/// The page's content security policy names exactly the style sheet and script in it, and the page needs nothing else.
#[test]
fn a_browser_runs_the_script_of_the_page_and_nothing_else() {
    use base64::prelude::{BASE64_STANDARD, Engine};
    use sha2::{Digest, Sha256};
    let page = page(&DAY);
    let policy = page.split("http-equiv=\"Content-Security-Policy\" content=\"").nth(1).unwrap();
    let policy = policy.split('"').next().unwrap().replace("&#x27;", "'").replace("&#x2f;", "/").replace("&#x2F;", "/");
    let policy = policy.replace("&#39;", "'").replace("&#x2b;", "+").replace("&#x3d;", "=");
    let parts: Vec<&str> = policy.split("; ").collect();
    assert_eq!(parts[0], "default-src 'none'");
    let hash = |element: &str| {
        let (start, end) = (format!("<{element}>"), format!("</{element}>"));
        let mut all = page.split(&start).skip(1).map(|rest| rest.split(&end).next().unwrap());
        let only = all.next().map(|text| format!("'sha256-{}'", BASE64_STANDARD.encode(Sha256::digest(text))));
        assert!(all.next().is_none(), "more than one {element}");
        only.unwrap_or("'none'".into())
    };
    assert_eq!(parts[1..3], [format!("style-src {}", hash("style")), format!("script-src {}", hash("script"))]);
    for needs_more in [" style=\"", " onclick", " onload", "javascript:", "<style ", "eval("] {
        assert!(!page.contains(needs_more), "{needs_more}");
    }
}
