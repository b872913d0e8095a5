//! Reads a label selector from a query string, with apimachinery's errors.

use super::{Operator, Requirement, SelectorError};

/// The conditions, in the order in which they are written.
pub(super) fn requirements(text: &str) -> Result<Vec<Requirement>, SelectorError> {
    Parser { tokens: lex(text), at: 0 }.requirements()
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    Word(String),
    /// `( ) , ! = == != > <`, and the end as an empty text.
    Sign(&'static str),
}

impl Token {
    fn text(&self) -> &str {
        match self {
            Token::Word(word) => word,
            Token::Sign(sign) => sign,
        }
    }
}

const SIGNS: [&str; 9] = ["==", "!=", "(", ")", ",", "!", "=", ">", "<"];

fn lex(text: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        if let Some(sign) = SIGNS.into_iter().find(|s| rest.starts_with(s)) {
            tokens.push(Token::Sign(sign));
            rest = &rest[sign.len()..];
        } else {
            let special = |c: char| c.is_ascii_whitespace() || "()!,=<>".contains(c);
            let end = rest.find(special).unwrap_or(rest.len());
            tokens.push(Token::Word(rest[..end].to_owned()));
            rest = &rest[end..];
        }
        rest = rest.trim_start();
    }
    tokens
}

struct Parser {
    tokens: Vec<Token>,
    at: usize,
}

impl Parser {
    fn peek(&self) -> Token {
        self.tokens.get(self.at).cloned().unwrap_or(Token::Sign(""))
    }

    fn take(&mut self) -> Token {
        let token = self.peek();
        self.at += 1;
        token
    }

    fn found(token: &Token, expected: &str) -> SelectorError {
        SelectorError(format!("found '{}', expected: {expected}", token.text()))
    }

    fn requirements(&mut self) -> Result<Vec<Requirement>, SelectorError> {
        let mut requirements = Vec::new();
        loop {
            match self.peek() {
                Token::Word(_) | Token::Sign("!") => {}
                Token::Sign("") => return Ok(requirements),
                other => return Err(Self::found(&other, "!, identifier, or 'end of string'")),
            }
            let requirement = self
                .requirement()
                .map_err(|e| SelectorError(format!("unable to parse requirement: {}", e.0)))?;
            requirements.push(requirement);
            match self.take() {
                Token::Sign("") => return Ok(requirements),
                Token::Sign(",") => match self.peek() {
                    Token::Word(_) | Token::Sign("!") => {}
                    other => return Err(Self::found(&other, "identifier after ','")),
                },
                other => return Err(Self::found(&other, "',' or 'end of string'")),
            }
        }
    }

    fn requirement(&mut self) -> Result<Requirement, SelectorError> {
        let absent = self.peek() == Token::Sign("!");
        if absent {
            self.take();
        }
        let key = match self.take() {
            Token::Word(key) => key,
            other => return Err(Self::found(&other, "identifier")),
        };
        if absent || matches!(self.peek(), Token::Sign("" | ",")) {
            let operator = if absent { Operator::DoesNotExist } else { Operator::Exists };
            return Ok(Requirement { key, operator, values: Vec::new() });
        }
        let operator = self.take();
        let (operator, many) = match operator.text() {
            "in" => (Operator::In, true),
            "notin" => (Operator::NotIn, true),
            "=" | "==" => (Operator::In, false),
            "!=" => (Operator::NotIn, false),
            ">" => (Operator::GreaterThan, false),
            "<" => (Operator::LessThan, false),
            _ => return Err(Self::found(&operator, "in, notin, =, ==, !=, gt, lt")),
        };
        let mut values = if many { self.set()? } else { vec![self.value()?] };
        values.sort();
        values.dedup();
        Ok(Requirement { key, operator, values })
    }

    fn value(&mut self) -> Result<String, SelectorError> {
        if matches!(self.peek(), Token::Sign("" | ",")) {
            return Ok(String::new());
        }
        match self.take() {
            Token::Word(word) => Ok(word),
            other => Err(Self::found(&other, "identifier")),
        }
    }

    fn set(&mut self) -> Result<Vec<String>, SelectorError> {
        let open = self.take();
        if open != Token::Sign("(") {
            return Err(SelectorError(format!("found '{}' expected: '('", open.text())));
        }
        let mut values = Vec::new();
        loop {
            match self.take() {
                Token::Word(word) => values.push(word),
                Token::Sign(",") => {
                    values.push(String::new());
                    continue;
                }
                Token::Sign(")") => {
                    values.push(String::new());
                    break;
                }
                other => return Err(Self::found(&other, "',', ')' or identifier")),
            }
            match self.take() {
                Token::Sign(",") => {}
                Token::Sign(")") => break,
                other => return Err(Self::found(&other, "',' or ')'")),
            }
        }
        Ok(values)
    }
}
