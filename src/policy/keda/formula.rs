//! `scalingModifiers.formula`: one metric made of all triggers.
//!
//! The expressions are those of expr-lang as far as formulas use them: numbers, texts, lists, `nil`, arithmetic, comparisons,
//! `&&`, `||`, `!`, `??`, `?:`, and the functions listed in [`FUNCTIONS`]. A whole number stays one: a result that is not a
//! fraction is refused, as KEDA refuses it.
//!
//! Source: `pkg/scaling/modifiers/formula.go` of kedacore/keda.

use std::collections::BTreeMap;

use super::tokens::{Token, tokens};

/// The functions of formulas.
pub const FUNCTIONS: [&str; 18] = [
    "abs", "all", "any", "ceil", "count", "filter", "float", "floor", "int", "len", "map", "max", "mean", "median",
    "min", "none", "round", "sum",
];
/// Functions whose second argument is evaluated for each element, `#`.
const CLOSURES: [&str; 6] = ["all", "any", "count", "filter", "map", "none"];
/// How deep an expression may be nested.
const DEPTH: usize = 64;

/// A part of an expression.
#[derive(Debug, Clone, PartialEq)]
enum Node {
    Constant(Value),
    /// A trigger, or `#`.
    Name(String),
    List(Vec<Node>),
    Unary(String, Box<Node>),
    Binary(String, Box<Node>, Box<Node>),
    Choice(Box<Node>, Box<Node>, Box<Node>),
    Call(String, Vec<Node>),
}

/// A value of an expression.
#[derive(Debug, Clone, PartialEq)]
enum Value {
    Int(i64),
    Float(f64),
    Bool(bool),
    Text(String),
    Nil,
    List(Vec<Value>),
}

/// An expression over triggers.
#[derive(Debug, Clone, PartialEq)]
pub struct Formula {
    root: Node,
}

/// What a formula is evaluated with.
#[derive(Clone, Copy)]
struct Scope<'a> {
    triggers: &'a BTreeMap<String, Option<f64>>,
    /// The element of a list that is looked at.
    element: Option<&'a Value>,
    /// Whether parts that have no effect are evaluated too.
    is_trial: bool,
}

impl Formula {
    /// Reads a formula.
    ///
    /// # Errors
    /// What is wrong.
    pub fn parse(text: &str) -> Result<Formula, String> {
        let mut parser = Parser { tokens: tokens(text)?, at: 0, depth: 0 };
        let root = parser.expression(0)?;
        match parser.peek() {
            None => Ok(Formula { root }),
            Some(token) => Err(format!("`{token}` is not expected in a formula")),
        }
    }

    /// Tries it with a value for each of `triggers`.
    ///
    /// # Errors
    /// A name that is not a trigger, or an operation that its operands do not have.
    pub fn check(&self, triggers: &[&str]) -> Result<(), String> {
        let triggers = triggers.iter().map(|name| ((*name).to_owned(), Some(1.0))).collect();
        self.root.value(&Scope { triggers: &triggers, element: None, is_trial: true }).map(|_| ())
    }

    /// The value in thousandths, cut toward zero. A trigger without a value is `nil`. A result of `nil` is `otherwise`,
    /// if that is given.
    ///
    /// # Errors
    /// Why there is none.
    pub fn milli(&self, triggers: &BTreeMap<String, Option<f64>>, otherwise: Option<f64>) -> Result<i64, String> {
        let value = match (self.root.value(&Scope { triggers, element: None, is_trial: false })?, otherwise) {
            (Value::Float(value), _) | (Value::Nil, Some(value)) => value,
            (other, _) => return Err(format!("the formula yields {}, not a fraction", other.kind())),
        };
        if value.is_finite() { Ok((value * 1000.0) as i64) } else { Err("the formula yields no finite number".into()) }
    }
}

/// Thousandths as Kubernetes makes a fraction of them: multiplied by 0.001, which is not the same as divided by 1000.
pub fn as_float(milli: i64) -> f64 {
    if milli % 1000 == 0 { (milli / 1000) as f64 } else { milli as f64 * 0.001 }
}

/// The value of a trigger in a formula: none once it has failed more often than the threshold, where one is stated.
pub fn trigger_value(value: f64, threshold: Option<i32>, failures: Option<i32>) -> Option<f64> {
    let failed = threshold.zip(failures).is_some_and(|(threshold, failures)| failures > threshold);
    (!failed).then_some(value)
}

// --- reading --------------------------------------------------------------------------------------------------------

struct Parser {
    tokens: Vec<Token>,
    at: usize,
    depth: usize,
}

/// How strongly a binary operator binds, and whether from the right.
fn binding(operator: &str) -> Option<(u16, bool)> {
    Some(match operator {
        "||" | "or" => (10, false),
        "&&" | "and" => (15, false),
        "==" | "!=" | "<" | ">" | "<=" | ">=" | "in" => (20, false),
        "+" | "-" => (30, false),
        "*" | "/" | "%" => (60, false),
        "**" | "^" => (100, true),
        "??" => (500, false),
        _ => return None,
    })
}

impl Parser {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at)
    }

    fn is_next(&self, symbol: &str) -> bool {
        self.peek().is_some_and(|token| token.is(symbol))
    }

    fn take(&mut self, symbol: &str) -> bool {
        let found = self.is_next(symbol);
        self.at += usize::from(found);
        found
    }

    fn expect(&mut self, symbol: &str) -> Result<(), String> {
        if self.take(symbol) {
            return Ok(());
        }
        let found = self.peek().map_or("the end".to_owned(), |token| format!("`{token}`"));
        Err(format!("`{symbol}` is expected in a formula, not {found}"))
    }

    /// An expression whose operators bind at least as strongly as `least`.
    fn expression(&mut self, least: u16) -> Result<Node, String> {
        self.depth += 1;
        if self.depth > DEPTH {
            return Err("the formula is nested too deeply".into());
        }
        let mut left = self.operand()?;
        while let Some((operator, (strength, is_right))) =
            self.operator().filter(|(_, (strength, _))| *strength >= least)
        {
            self.at += 1;
            let right = self.expression(if is_right { strength } else { strength + 1 })?;
            left = Node::Binary(operator, Box::new(left), Box::new(right));
        }
        if least == 0 && self.take("?") {
            let then = self.expression(0)?;
            self.expect(":")?;
            let otherwise = self.expression(0)?;
            left = Node::Choice(Box::new(left), Box::new(then), Box::new(otherwise));
        }
        self.depth -= 1;
        Ok(left)
    }

    fn operator(&self) -> Option<(String, (u16, bool))> {
        let (Token::Symbol(text) | Token::Name(text)) = self.peek()? else { return None };
        Some((text.clone(), binding(text)?))
    }

    fn operand(&mut self) -> Result<Node, String> {
        let Some(token) = self.peek().cloned() else { return Err("the formula ends too early".into()) };
        self.at += 1;
        match token {
            Token::Int(value) => Ok(Node::Constant(Value::Int(value))),
            Token::Float(value) => Ok(Node::Constant(Value::Float(value))),
            Token::Text(text) => Ok(Node::Constant(Value::Text(text))),
            Token::Name(name) => self.named(name),
            Token::Symbol(symbol) => match symbol.as_str() {
                "(" => {
                    let inner = self.expression(0)?;
                    self.expect(")").map(|()| inner)
                }
                "[" => Ok(Node::List(self.list("]")?)),
                "-" | "+" => Ok(Node::Unary(symbol, Box::new(self.expression(90)?))),
                "!" => Ok(Node::Unary(symbol, Box::new(self.expression(50)?))),
                "#" => Ok(Node::Name(symbol)),
                _ => Err(format!("`{symbol}` is not expected in a formula")),
            },
        }
    }

    fn named(&mut self, name: String) -> Result<Node, String> {
        let constant = |value: Value| Ok(Node::Constant(value));
        match name.as_str() {
            "true" => constant(Value::Bool(true)),
            "false" => constant(Value::Bool(false)),
            "nil" => constant(Value::Nil),
            "not" => Ok(Node::Unary("!".to_owned(), Box::new(self.expression(50)?))),
            _ if !self.take("(") => Ok(Node::Name(name)),
            known if FUNCTIONS.contains(&known) => self.list(")").map(|arguments| Node::Call(name, arguments)),
            _ => Err(format!("`{name}` is not a function of formulas")),
        }
    }

    /// Expressions up to `end`. The body of a closure may stand in braces.
    fn list(&mut self, end: &str) -> Result<Vec<Node>, String> {
        let mut found = Vec::new();
        while !self.take(end) {
            if !found.is_empty() {
                self.expect(",")?;
                if self.take(end) {
                    break;
                }
            }
            let in_braces = self.take("{");
            found.push(self.expression(0)?);
            if in_braces {
                self.expect("}")?;
            }
        }
        Ok(found)
    }
}

// --- evaluating -----------------------------------------------------------------------------------------------------

impl Value {
    fn kind(&self) -> &'static str {
        match self {
            Value::Int(_) => "a whole number",
            Value::Float(_) => "a fraction",
            Value::Bool(_) => "a truth value",
            Value::Text(_) => "a text",
            Value::Nil => "nil",
            Value::List(_) => "a list",
        }
    }

    fn number(&self) -> Result<f64, String> {
        match self {
            Value::Int(value) => Ok(*value as f64),
            Value::Float(value) => Ok(*value),
            other => Err(format!("{} is not a number", other.kind())),
        }
    }

    fn truth(&self) -> Result<bool, String> {
        match self {
            Value::Bool(value) => Ok(*value),
            other => Err(format!("{} is neither true nor false", other.kind())),
        }
    }

    fn equals(&self, other: &Value) -> bool {
        match (self.number(), other.number()) {
            (Ok(a), Ok(b)) => a == b,
            _ => self == other,
        }
    }
}

impl Node {
    fn value(&self, scope: &Scope<'_>) -> Result<Value, String> {
        match self {
            Node::Constant(value) => Ok(value.clone()),
            Node::Name(name) if name == "#" => scope.element.cloned().ok_or_else(|| "`#` has no list".to_owned()),
            Node::Name(name) => match scope.triggers.get(name) {
                Some(value) => Ok(value.map_or(Value::Nil, Value::Float)),
                None => Err(format!("`{name}` is not a trigger")),
            },
            Node::List(nodes) => nodes.iter().map(|node| node.value(scope)).collect::<Result<_, _>>().map(Value::List),
            Node::Unary(operator, operand) => unary(operator, &operand.value(scope)?),
            Node::Binary(operator, left, right) => binary(operator, left, right, scope),
            Node::Choice(condition, then, otherwise) => {
                let chosen = condition.value(scope)?.truth()?;
                let (taken, left) = if chosen { (then, otherwise) } else { (otherwise, then) };
                if scope.is_trial {
                    left.value(scope)?;
                }
                taken.value(scope)
            }
            Node::Call(name, arguments) => match (name.as_str(), arguments.as_slice()) {
                (name, [list, body]) if CLOSURES.contains(&name) => closure(name, &list.value(scope)?, body, scope),
                (name, _) => {
                    let values =
                        arguments.iter().map(|argument| argument.value(scope)).collect::<Result<Vec<_>, _>>()?;
                    call(name, &values)
                }
            },
        }
    }
}

fn unary(operator: &str, operand: &Value) -> Result<Value, String> {
    match (operator, operand) {
        ("!", operand) => operand.truth().map(|value| Value::Bool(!value)),
        ("-", Value::Int(value)) => Ok(Value::Int(value.wrapping_neg())),
        ("-", operand) => operand.number().map(|value| Value::Float(-value)),
        (_, operand) => operand.number().map(|_| operand.clone()),
    }
}

fn binary(operator: &str, left: &Node, right: &Node, scope: &Scope<'_>) -> Result<Value, String> {
    let first = left.value(scope)?;
    match operator {
        "??" if first == Value::Nil || scope.is_trial => {
            let second = right.value(scope)?;
            return Ok(if first == Value::Nil { second } else { first });
        }
        "??" => return Ok(first),
        "&&" | "and" | "||" | "or" => {
            let ends = first.truth()? == matches!(operator, "||" | "or");
            if ends && !scope.is_trial {
                return Ok(first);
            }
            let second = Value::Bool(right.value(scope)?.truth()?);
            return Ok(if ends { first } else { second });
        }
        _ => {}
    }
    let second = right.value(scope)?;
    match operator {
        "==" => return Ok(Value::Bool(first.equals(&second))),
        "!=" => return Ok(Value::Bool(!first.equals(&second))),
        "in" => {
            let Value::List(list) = second else { return Err(format!("{} is not a list", second.kind())) };
            return Ok(Value::Bool(list.iter().any(|one| one.equals(&first))));
        }
        _ => {}
    }
    if let (Value::Text(a), Value::Text(b)) = (&first, &second) {
        return texts(operator, a, b);
    }
    if let (Value::Int(a), Value::Int(b)) = (&first, &second) {
        match operator {
            "+" => return Ok(Value::Int(a.wrapping_add(*b))),
            "-" => return Ok(Value::Int(a.wrapping_sub(*b))),
            "*" => return Ok(Value::Int(a.wrapping_mul(*b))),
            "%" => return a.checked_rem(*b).map(Value::Int).ok_or_else(|| "the divisor is zero".to_owned()),
            _ => {}
        }
    }
    let (a, b) = (first.number()?, second.number()?);
    Ok(match operator {
        "+" => Value::Float(a + b),
        "-" => Value::Float(a - b),
        "*" => Value::Float(a * b),
        "/" => Value::Float(a / b),
        "**" | "^" => Value::Float(a.powf(b)),
        "<" => Value::Bool(a < b),
        "<=" => Value::Bool(a <= b),
        ">" => Value::Bool(a > b),
        ">=" => Value::Bool(a >= b),
        _ => return Err(format!("`{operator}` is only for whole numbers")),
    })
}

fn texts(operator: &str, a: &str, b: &str) -> Result<Value, String> {
    Ok(match operator {
        "+" => Value::Text(format!("{a}{b}")),
        "<" => Value::Bool(a < b),
        "<=" => Value::Bool(a <= b),
        ">" => Value::Bool(a > b),
        ">=" => Value::Bool(a >= b),
        _ => return Err(format!("`{operator}` is not for texts")),
    })
}

/// A function that evaluates `body` for each element of a list.
fn closure(name: &str, list: &Value, body: &Node, scope: &Scope<'_>) -> Result<Value, String> {
    let Value::List(elements) = list else { return Err(format!("`{name}` is of a list, not of {}", list.kind())) };
    let found = elements.iter().map(|element| body.value(&Scope { element: Some(element), ..*scope }));
    let found = found.collect::<Result<Vec<_>, _>>()?;
    if name == "map" {
        return Ok(Value::List(found));
    }
    let holds = found.iter().map(Value::truth).collect::<Result<Vec<_>, _>>()?;
    let count = holds.iter().filter(|holds| **holds).count();
    Ok(match name {
        "all" => Value::Bool(count == holds.len()),
        "any" => Value::Bool(count > 0),
        "none" => Value::Bool(count == 0),
        "count" => Value::Int(count as i64),
        _ => Value::List(elements.iter().zip(holds).filter(|(_, holds)| *holds).map(|(one, _)| one.clone()).collect()),
    })
}

/// The numbers among arguments, of which lists are taken apart.
fn numbers<'v>(values: &'v [Value], found: &mut Vec<&'v Value>) -> Result<(), String> {
    for value in values {
        match value {
            Value::List(inner) => numbers(inner, found)?,
            other => {
                other.number()?;
                found.push(other);
            }
        }
    }
    Ok(())
}

fn call(name: &str, values: &[Value]) -> Result<Value, String> {
    if name == "len" {
        return match values {
            [Value::List(list)] => Ok(Value::Int(list.len() as i64)),
            [Value::Text(text)] => Ok(Value::Int(text.chars().count() as i64)),
            _ => Err("`len` is of a list or a text".into()),
        };
    }
    let mut found = Vec::new();
    numbers(values, &mut found)?;
    let all_whole = found.iter().all(|value| matches!(value, Value::Int(_)));
    let mut all: Vec<f64> = found.iter().filter_map(|value| value.number().ok()).collect();
    let alike = |value: f64| if all_whole { Value::Int(value as i64) } else { Value::Float(value) };
    let one = || match found.as_slice() {
        [value] => value.number(),
        _ => Err(format!("`{name}` is of one number")),
    };
    let some = |value: f64| if found.is_empty() { Err(format!("`{name}` of nothing")) } else { Ok(value) };
    Ok(match name {
        "abs" => alike(one()?.abs()),
        "ceil" => Value::Float(one()?.ceil()),
        "floor" => Value::Float(one()?.floor()),
        "round" => Value::Float(one()?.round()),
        "int" => Value::Int(one()? as i64),
        "float" => Value::Float(one()?),
        "max" => alike(some(all.iter().copied().fold(f64::NEG_INFINITY, f64::max))?),
        "min" => alike(some(all.iter().copied().fold(f64::INFINITY, f64::min))?),
        "sum" => alike(all.iter().sum()),
        "mean" => Value::Float(some(all.iter().sum::<f64>() / all.len().max(1) as f64)?),
        "median" => {
            all.sort_by(f64::total_cmp);
            let (low, high) = (all.len().saturating_sub(1) / 2, all.len() / 2);
            let pair = all.get(low).zip(all.get(high));
            Value::Float(pair.map(|(low, high)| f64::midpoint(*low, *high)).ok_or("`median` of nothing")?)
        }
        _ => return Err(format!("`{name}` needs a list and a condition")),
    })
}
