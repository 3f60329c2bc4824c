//! The parameters of generators, transforms and distributions.

use serde_json::{Value, json};

use super::{at_least_one, choice, count, example, examples, free, list, number, object, quantity, text};
use crate::random::DISTRIBUTION_NAMES;

/// The schema of what stands under a generator's name.
pub(super) fn generator(name: &str) -> Value {
    let mut fields = own(name);
    fields.push(("for", quantity("How long requests arrive; without end by default.", "8h")));
    if name != "closed-loop" {
        fields.push(("start", text("Date and time of the start (ISO 8601).")));
    }
    if !["constant", "poisson", "closed-loop"].contains(&name) {
        let words = if name == "llm-chat" { "Tokens of a prompt and its answer." } else { "Tokens of a request." };
        fields.push(("tokens", tokens(words)));
    }
    let whole = object("", &fields);
    match name {
        "constant" | "poisson" => or_short(whole, "80/s", json!({ "rate": "80/s", "for": "1h" })),
        "nhpp" => example(whole, json!({ "sinusoid": { "mean": "60/s", "amplitude": 0.5 }, "for": "8h" })),
        "mmpp" => example(whole, json!({ "rates": ["10/s", "90/s"], "stay": ["10m", "1m"] })),
        "hawkes" => example(whole, json!({ "rate": "50/s", "branching": 0.6, "delay": "2s" })),
        "batch" => example(whole, json!({ "rate": "50/s", "size": { "geometric": 3 } })),
        "cascade" => example(whole, json!({ "rate": "50/s", "block": "1h", "uneven": [0.1, 0.1] })),
        "renewal" => example(whole, json!({ "gap": { "gamma": { "mean": "20ms", "shape": 2 } } })),
        "closed-loop" => example(whole, json!({ "users": 100, "think": "5s" })),
        "user-sessions" => example(whole, json!({ "rate": "2/s", "requests": 8, "think": "20s" })),
        "game" => example(whole, json!({ "players": 2000, "every": "5s", "for": "12h" })),
        "shop" | "fraud" => example(whole, json!({ "rate": "50/s", "for": "2d" })),
        "llm-chat" => example(whole, json!({ "rate": "4/s", "for": "4h" })),
        _ => whole,
    }
}

type Fields = Vec<(&'static str, Value)>;

fn rate() -> Value {
    quantity("Mean requests per second.", "80/s")
}

/// What a generator has of its own.
fn own(name: &str) -> Fields {
    match name {
        "nhpp" => nhpp(),
        "mmpp" => vec![
            ("rates", list("The rate of each state.", json!({ "type": ["string", "number"] }))),
            ("stay", list("Mean time in each state.", json!({ "type": ["string", "number"] }))),
        ],
        "hawkes" => vec![
            ("rate", rate()),
            ("branching", number("Mean number of further requests that each request triggers; below 1.")),
            ("delay", quantity("Mean delay of a triggered request.", "2s")),
        ],
        "batch" => vec![("rate", rate()), ("size", size())],
        "cascade" => vec![
            ("rate", rate()),
            ("block", quantity("Length of a block of the profile.", "1h")),
            ("profile", list("Relative rates of the blocks; [1] by default.", json!({ "type": "number" }))),
            (
                "uneven",
                list(
                    "How unevenly the requests of an interval are split between its halves, from the block down; none by default.",
                    json!({ "type": "number" }),
                ),
            ),
            (
                "together",
                quantity("Share of requests that arrive at the same instant as another; 0% by default.", "5%"),
            ),
        ],
        "renewal" => vec![("gap", distribution("Time between two requests."))],
        "closed-loop" => vec![("users", users()), ("think", distribution("Time from an answer to the next request."))],
        "user-sessions" => vec![
            ("rate", rate()),
            ("requests", number("Mean number of requests per session.")),
            ("think", distribution("Time between two requests of a session.")),
        ],
        "shop" | "game" | "fraud" | "llm-chat" => seasonal(name),
        _ => vec![("rate", rate())],
    }
}

/// What the generators of one business have, all of which follow the hours of a day.
fn seasonal(name: &str) -> Fields {
    match name {
        "shop" => [
            vec![("rate", rate())],
            season("20h", "6"),
            vec![
                ("campaigns", list("Campaigns.", pulse())),
                ("flash-sales", list("Flash sales.", pulse())),
                ("retries", retries()),
            ],
        ]
        .concat(),
        "game" => [
            vec![
                ("players", number("Mean number of players online.")),
                ("every", quantity("Time between two requests of a player; 30s by default.", "5s")),
                (
                    "session",
                    distribution("Length of a player's session; Pareto with shape 1.5 from 10m to 12h by default."),
                ),
            ],
            season("21h", "4"),
            vec![("launch", list("Launches.", pulse())), ("maintenance", maintenance())],
        ]
        .concat(),
        "fraud" => [vec![("rate", rate())], season("15h", "4"), vec![("waves", list("Attacks.", wave()))]].concat(),
        _ => [
            vec![("rate", rate())],
            season("15h", "3"),
            vec![
                ("events", list("Events.", pulse())),
                ("turns", number("Mean number of requests per conversation; 2 by default.")),
                (
                    "think",
                    distribution(
                        "Time from an answer to the next prompt; lognormal with mean 60s and cv 1.5 by default.",
                    ),
                ),
                ("per-token", quantity("Response time per output token; 20ms by default.", "20ms")),
                ("system", count("Tokens of the system prompt; 0 by default.")),
                ("context", at_least_one("Maximum number of tokens of a request; 8192 by default.")),
            ],
        ]
        .concat(),
    }
}

fn nhpp() -> Fields {
    let point = object(
        "A point in time.",
        &[
            ("at", quantity("Time since the start.", "10m")),
            ("rate", quantity("Rate from then on, or at that time.", "120/s")),
        ],
    );
    let sinusoid = [
        ("mean", quantity("Mean rate.", "60/s")),
        ("amplitude", number("Amplitude as a share of the mean, 0 to 1.")),
        ("period", quantity("Period; 1d by default.", "8h")),
        ("peak", quantity("Time of the maximum; 0s by default.", "2h")),
    ];
    let season_fields = [vec![("rate", rate())], season("noon, level,", "1")].concat();
    let noise = [
        ("cv", number("Coefficient of variation.")),
        ("memory", quantity("Correlation time.", "10m")),
        ("step", quantity("Time step of the noise; 1m by default.", "1m")),
    ];
    let clusters = [
        ("requests", number("Mean number of requests per cluster.")),
        ("within", distribution("Time from a cluster's first request to each of the others.")),
        ("think", distribution("Time between two requests of a cluster; excludes `within`.")),
        ("size-cv", number("Coefficient of variation of the size; that of a geometric distribution by default.")),
    ];
    vec![
        ("steps", list("Piecewise constant rate.", point.clone())),
        ("points", list("Linear interpolation between rates.", point)),
        ("sinusoid", example(object("A sinusoid.", &sinusoid), json!({ "mean": "60/s", "amplitude": 0.5 }))),
        ("season", example(object("Hours, weekdays and growth.", &season_fields), json!({ "rate": "60/s" }))),
        ("noise", example(object("Autocorrelated random noise.", &noise), json!({ "cv": 0.3, "memory": "10m" }))),
        ("clusters", example(object("Clusters of requests.", &clusters), json!({ "requests": 4, "think": "2s" }))),
    ]
}

/// Fields of a course of hours, weekdays and growth.
fn season(peak: &str, ratio: &str) -> Fields {
    let factors = |words: &str| list(words, json!({ "type": "number" }));
    vec![
        ("peak-hour", quantity(&format!("Time of day of the peak; {peak} by default."), "20h")),
        ("peak-to-trough", number(&format!("Ratio of the highest to the lowest rate of a day; {ratio} by default."))),
        ("hours", factors("Relative rates of the 24 hours; excludes the two above.")),
        ("weekend", number("Factor on Saturday and Sunday; 1 by default.")),
        ("weekdays", factors("Factors of the weekdays from Monday on; excludes `weekend`.")),
        ("growth", number("Factor per week; 1 by default.")),
    ]
}

/// An event that multiplies the rate.
fn pulse() -> Value {
    let fields = [
        ("at", quantity("Start: time since the start, or a time of day.", "36h")),
        ("factor", number("Factor on the rate.")),
        ("ramp", quantity("Time until the factor is reached; 0s by default.", "5m")),
        ("for", quantity("How long the factor lasts; 0s by default.", "1h")),
        (
            "half-life",
            quantity("Half-life of an exponential decay afterwards; a linear decay over the ramp by default.", "30m"),
        ),
    ];
    example(object("An event.", &fields), json!({ "at": "36h", "factor": 4, "half-life": "30m" }))
}

fn retries() -> Value {
    let fields = [
        ("share", quantity("Share of attempts that fail.", "10%")),
        ("after", quantity("Mean time to the next attempt; 10s by default.", "10s")),
        ("attempts", at_least_one("Maximum number of attempts; 3 by default.")),
    ];
    example(object("Retries of failed attempts.", &fields), json!({ "share": "10%" }))
}

fn maintenance() -> Value {
    let fields = [
        ("at", quantity("Start, within each week.", "52h")),
        ("for", quantity("Duration.", "1h")),
        ("return", quantity("Share of players who return immediately; 80% by default.", "80%")),
        ("within", quantity("Time in which they return; 5m by default.", "5m")),
    ];
    example(object("Weekly maintenance that disconnects all players.", &fields), json!({ "at": "52h", "for": "1h" }))
}

fn wave() -> Value {
    let fields = [
        ("at", quantity("Start.", "3h")),
        ("for", quantity("Duration.", "10m")),
        ("rate", quantity("Attempts per second.", "400/s")),
        ("sources", at_least_one("Number of sources; 5 by default.")),
        ("tries", at_least_one("Consecutive attempts of a source; 1 by default.")),
        ("spacing", quantity("Time between them; 200ms by default.", "200ms")),
    ];
    example(object("An attack.", &fields), json!({ "at": "3h", "for": "10m", "rate": "400/s" }))
}

fn users() -> Value {
    let point = object(
        "Number of users from a point in time on.",
        &[("at", quantity("Time since the start.", "10m")), ("users", count("Users from then on."))],
    );
    let point = example(point, json!({ "at": "0s", "users": 100 }));
    json!({ "description": "Number of users, constant or over time.", "examples": [100], "anyOf": [count("Constant."), list("Over time.", point)] })
}

fn size() -> Value {
    let fields = [
        ("geometric", number("Geometric with this mean.")),
        ("weights", list("Weights of the sizes 1, 2, 3 and so on.", json!({ "type": "number" }))),
    ];
    let drawn = example(object("Random.", &fields), json!({ "geometric": 3 }));
    json!({ "description": "Requests of a batch.", "examples": [{ "geometric": 3 }], "anyOf": [at_least_one("Constant."), drawn] })
}

fn tokens(words: &str) -> Value {
    let lengths = |words: &str| {
        let fields = [("mean", number("Mean.")), ("cv", number("Coefficient of variation; 1 by default."))];
        json!({ "description": words, "examples": [200], "anyOf": [number("The mean, with a coefficient of variation of 1."), example(object("Lognormal.", &fields), json!({ "mean": 200 }))] })
    };
    let fields = [
        ("input", lengths("Input tokens.")),
        ("output", lengths("Output tokens.")),
        ("correlation", number("Correlation of the two; 0 by default.")),
        ("max", at_least_one("Maximum number of tokens of either kind; 1048576 by default.")),
    ];
    example(object(words, &fields), json!({ "input": 800, "output": 200 }))
}

/// How further requests are made.
fn jitter() -> (&'static str, Value) {
    {
        (
            "jitter",
            quantity(
                "Additional requests are copies of recorded ones within this time; drawn from the rate by default.",
                "1m",
            ),
        )
    }
}

fn growth() -> Value {
    let fields = [
        ("factor", number("Factor per period.")),
        ("per", quantity("The period; 365d by default.", "365d")),
        ("ahead", quantity("Time by which the growth is extrapolated; 0s by default.", "180d")),
        ("uncertainty", quantity("Standard error of the growth; 0% by default.", "10%")),
        jitter(),
    ];
    example(object("", &fields), json!({ "factor": 1.5 }))
}

fn splice() -> Value {
    let mut all = vec![("at", quantity("Position in the stream.", "36h"))];
    all.extend([
        ("from", quantity("Start of the part; 0s by default.", "2h")),
        ("to", quantity("End of the part.", "3h")),
        (
            "mode",
            choice(
                "Whether the part replaces or is added to the existing requests; replace by default.",
                &["replace", "add"],
            ),
        ),
    ]);
    all.extend(super::trace_fields());
    example(object("", &all), json!({ "trace": "incident.csv", "at": "36h", "to": "3h" }))
}

/// The schema of what stands under a transform's name.
pub(super) fn transform(name: &str) -> Value {
    match name {
        "anonymise" => {
            let fields = [
                ("jitter", quantity("Maximum shift of each arrival.", "5s")),
                ("round", at_least_one("Token counts are rounded up to a multiple of this; 1 by default.")),
            ];
            example(object("", &fields), json!({ "jitter": "5s" }))
        }
        "growth" => growth(),
        "mix-classes" => example(
            free("", json!({ "type": "number", "description": "Factor on the requests of this class." })),
            json!({ "checkout": 2 }),
        ),
        "overlay" => {
            let whole = object("", &[("events", list("The calendar.", pulse())), jitter()]);
            let whole = example(whole, json!({ "events": [{ "at": "9h", "factor": 4 }] }));
            json!({ "examples": [[{ "at": "9h", "factor": 4, "ramp": "5m", "for": "3h" }]], "anyOf": [list("The calendar.", pulse()), pulse(), whole] })
        }
        "repeat" => {
            let whole = object(
                "",
                &[
                    ("times", at_least_one("Number of repetitions.")),
                    ("unit", quantity("The length is rounded up to a multiple of this; 1s by default.", "1d")),
                ],
            );
            or_short(whole, "7", json!({ "times": 7 }))
        }
        "scale-rate" => or_short(
            object("", &[("factor", number("Factor on the requests.")), jitter()]),
            "2.5",
            json!({ "factor": 2.5 }),
        ),
        "splice" => splice(),
        "spread" => or_short(
            object("", &[("over", quantity("Time resolution of the arrivals.", "1s"))]),
            "1s",
            json!({ "over": "1s" }),
        ),
        "time-warp" => {
            or_short(object("", &[("factor", number("Factor on all times."))]), "0.5", json!({ "factor": 0.5 }))
        }
        "window" => {
            let fields = [
                ("from", quantity("Start, which becomes time zero; 0s by default.", "6h")),
                ("to", quantity("End; the end of the stream by default.", "20h")),
            ];
            example(object("", &fields), json!({ "from": "6h", "to": "20h" }))
        }
        _ => json!({}),
    }
}

/// Either a single value or the mapping.
fn or_short(whole: Value, short: &str, long: Value) -> Value {
    json!({ "examples": [short], "anyOf": [quantity("The short form.", short), example(whole, long)] })
}

/// A duration, or one distribution of durations.
pub(super) fn distribution(description: &str) -> Value {
    let kinds = super::one_of("One distribution.", DISTRIBUTION_NAMES.iter().map(|name| (*name, "")), one_distribution);
    json!({ "description": description, "anyOf": [quantity("Constant.", "120ms"), kinds] })
}

fn one_distribution(name: &str) -> Value {
    let mean = || ("mean", quantity("Mean.", "120ms"));
    let cv = || ("cv", number("Coefficient of variation: standard deviation divided by mean."));
    let shape = || ("shape", number("Shape."));
    let (words, fields, one): (&str, Fields, Value) = match name {
        "constant" => return quantity("Constant.", "120ms"),
        "empirical" => {
            return json!({ "description": "A random one of these values, or of those in a file.", "examples": [["80ms", "120ms"]] });
        }
        "uniform" => (
            "Uniform.",
            vec![("min", quantity("Minimum.", "1s")), ("max", quantity("Maximum.", "3s"))],
            json!({ "min": "1s", "max": "3s" }),
        ),
        "exponential" => ("Exponential.", vec![mean()], json!({ "mean": "120ms" })),
        "lognormal" => (
            "Lognormal, by mean and cv or by two percentiles.",
            vec![mean(), cv(), ("p50", quantity("Median.", "80ms")), ("p99", quantity("99th percentile.", "900ms"))],
            json!([{ "mean": "120ms", "cv": 1 }, { "p50": "80ms", "p99": "900ms" }]),
        ),
        "weibull" => ("Weibull.", vec![shape(), mean()], json!({ "shape": 2, "mean": "120ms" })),
        "gamma" => ("Gamma.", vec![shape(), mean()], json!({ "shape": 2, "mean": "120ms" })),
        "pareto" => (
            "Pareto: a heavy tail.",
            vec![shape(), ("min", quantity("Minimum.", "10ms")), ("max", quantity("Maximum; none by default.", "10s"))],
            json!({ "shape": 1.5, "min": "10ms" }),
        ),
        _ => (
            "A mixture of exponentials, by mean and cv or by weights and means.",
            vec![
                mean(),
                cv(),
                ("weights", list("Weights.", json!({ "type": "number" }))),
                ("means", list("Means.", json!({ "type": ["string", "number"] }))),
            ],
            json!([{ "mean": "120ms", "cv": 2 }, { "weights": [9, 1], "means": ["80ms", "2s"] }]),
        ),
    };
    match one {
        Value::Array(several) => examples(object(words, &fields), several),
        one => example(object(words, &fields), one),
    }
}
