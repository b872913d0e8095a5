//! The messages that JSON shows as something else than the map of their fields: amounts, times,
//! numbers or names, JSON inside, and CRD schemas that may also be a boolean or a list. Each way,
//! reading and writing, beside the other.
//!
//! Not here: messages in general (`read`, `write`).

use super::error::Error;
use super::table::Form;
use super::wire::{BYTES, Reader, VARINT, text};
use super::write::Writer;
use super::{Map, Value};
use crate::object::quantity::{NotQuantity, Quantity};

/// Seconds from the zero of Go's time, year 1, to that of Unix.
const ZERO_TIME: i64 = -62_135_596_800;

/// Calls `take` with the place and bytes of each field of a small message, all of whose fields
/// have a length; they are numbered from 1, and `names` are their Go names.
pub(super) fn each<'a>(
    data: &'a [u8],
    message: &'static str,
    names: &[&'static str],
    mut take: impl FnMut(usize, &'a [u8]) -> Result<(), Error>,
) -> Result<(), Error> {
    let mut reader = Reader::new(data);
    loop {
        let start = reader.at();
        let Some((number, wire)) = reader.field(message)? else { return Ok(()) };
        let place = usize::try_from(number - 1).unwrap_or(usize::MAX);
        match names.get(place) {
            Some(name) if wire != BYTES => {
                return Err(Error::WrongWire { wire, field: (*name).into() });
            }
            Some(_) => take(place, reader.bytes()?)?,
            None => reader.skip(start, reader.whole())?,
        }
    }
}

pub(super) fn quantity(data: &[u8]) -> Result<Value, Error> {
    let mut value = Value::from("0");
    each(data, "Quantity", &["String_"], |_, bytes| {
        let text = std::str::from_utf8(bytes).map_err(|_| NotQuantity::Form)?;
        if text.trim() != text {
            return Err(NotQuantity::Form.into());
        }
        value = Quantity::parse(text)?.to_string().into();
        Ok(())
    })?;
    Ok(value)
}

pub(super) fn write_quantity(value: Option<&Value>, out: &mut Writer) -> Option<()> {
    let text = match value {
        None => "0".to_owned(),
        Some(Value::String(text)) => Quantity::parse(text).ok()?.to_string(),
        Some(Value::Number(number)) => Quantity::parse(&number.to_string()).ok()?.to_string(),
        Some(_) => return None,
    };
    out.bytes(1, text.as_bytes());
    Some(())
}

/// Seconds and nanoseconds since 1970.
#[expect(clippy::cast_possible_truncation, reason = "Go cuts to the width of the field")]
#[expect(clippy::cast_possible_wrap, reason = "negative numbers are two's complement")]
fn timestamp(data: &[u8]) -> Result<(i64, i32), Error> {
    let mut reader = Reader::new(data);
    let (mut seconds, mut nanos) = (0, 0);
    loop {
        let start = reader.at();
        let Some((number, wire)) = reader.field("Timestamp")? else { return Ok((seconds, nanos)) };
        match number {
            1 | 2 if wire != VARINT => {
                let field = if number == 1 { "Seconds" } else { "Nanos" }.into();
                return Err(Error::WrongWire { wire, field });
            }
            1 => seconds = reader.varint()? as i64,
            2 => nanos = reader.varint()? as i32,
            _ => reader.skip(start, reader.whole())?,
        }
    }
}

pub(super) fn time(data: &[u8]) -> Result<Value, Error> {
    match timestamp(data)? {
        _ if data.is_empty() => Ok(Value::Null),
        (ZERO_TIME, _) => Ok(Value::Null),
        (seconds, _) => Ok(rfc3339(seconds)?.into()),
    }
}

pub(super) fn micro_time(data: &[u8]) -> Result<Value, Error> {
    let (seconds, nanos) = timestamp(data)?;
    let micros = nanos / 1000;
    let seconds = seconds.saturating_add(i64::from(micros.div_euclid(1_000_000)));
    let micros = micros.rem_euclid(1_000_000);
    if data.is_empty() || (seconds, micros) == (ZERO_TIME, 0) {
        return Ok(Value::Null);
    }
    let whole = rfc3339(seconds)?;
    Ok(format!("{}.{micros:06}Z", whole.trim_end_matches('Z')).into())
}

fn rfc3339(seconds: i64) -> Result<String, Error> {
    let stamp = jiff::Timestamp::from_second(seconds).ok().filter(|_| seconds >= ZERO_TIME);
    stamp.map(|s| s.to_string()).ok_or(Error::NoForm("Time: year outside of range [1,9999]"))
}

/// A time; nothing for the zero one. `is_micro` keeps millionths of a second.
pub(super) fn write_time(value: Option<&Value>, is_micro: bool, out: &mut Writer) -> Option<()> {
    let Some(value) = value else { return Some(()) };
    let stamp: jiff::Timestamp = value.as_str()?.parse().ok()?;
    let micros = if is_micro { stamp.as_microsecond() } else { stamp.as_second() * 1_000_000 };
    if micros != ZERO_TIME * 1_000_000 {
        out.integer(1, micros.div_euclid(1_000_000));
        out.integer(2, micros.rem_euclid(1_000_000) * 1000);
    }
    Some(())
}

#[expect(clippy::cast_possible_truncation, reason = "Go cuts to the width of the field")]
pub(super) fn int_or_string(data: &[u8]) -> Result<Value, Error> {
    let mut reader = Reader::new(data);
    let (mut form, mut number, mut name) = (0, 0, String::new());
    loop {
        let start = reader.at();
        let Some((place, wire)) = reader.field("IntOrString")? else { break };
        let expected = if place == 3 { BYTES } else { VARINT };
        let field = match place {
            1 => "Type",
            2 => "IntVal",
            3 => "StrVal",
            _ => {
                reader.skip(start, reader.whole())?;
                continue;
            }
        };
        if wire != expected {
            return Err(Error::WrongWire { wire, field: field.into() });
        }
        match place {
            1 => form = reader.varint()?,
            2 => number = reader.varint()? as i32,
            _ => name = text(reader.bytes()?),
        }
    }
    match form {
        0 => Ok(number.into()),
        1 => Ok(name.into()),
        _ => Err(Error::NoForm("impossible IntOrString.Type")),
    }
}

pub(super) fn write_int_or_string(value: Option<&Value>, out: &mut Writer) -> Option<()> {
    let (form, number, text) = match value {
        None => (0, 0, ""),
        Some(Value::String(text)) => (1, 0, text.as_str()),
        Some(value) => (0, i32::try_from(value.as_i64()?).ok()?, ""),
    };
    out.integer(1, form);
    out.integer(2, i64::from(number));
    out.bytes(3, text.as_bytes());
    Some(())
}

pub(super) fn raw(message: &'static str, data: &[u8]) -> Result<Value, Error> {
    let mut json: &[u8] = &[];
    each(data, message, &["Raw"], |_, bytes| {
        json = bytes;
        Ok(())
    })?;
    if json.is_empty() {
        return Ok(Value::Null);
    }
    serde_json::from_str(&text(json)).map_err(|e| Error::Json(e.to_string()))
}

pub(super) fn write_raw(value: Option<&Value>, out: &mut Writer) -> Option<()> {
    if let Some(value) = value {
        out.bytes(1, &serde_json::to_vec(value).ok()?);
    }
    Some(())
}

pub(super) fn list(message: &'static str, data: &[u8], old: Value) -> Result<Value, Error> {
    let mut items = match old {
        Value::Array(items) => items,
        _ => Vec::new(),
    };
    each(data, message, &["Items"], |_, bytes| {
        items.push(text(bytes).into());
        Ok(())
    })?;
    Ok(Value::Array(items))
}

pub(super) fn write_list(value: Option<&Value>, out: &mut Writer) -> Option<()> {
    for item in value.map_or(Some(&vec![]), Value::as_array)? {
        out.bytes(1, item.as_str()?.as_bytes());
    }
    Some(())
}

/// What a schema that may also be a boolean or a list is, of its two fields.
pub(super) fn either(form: Form, mut fields: Map) -> Value {
    let schema = fields.remove("Schema").filter(|schema| !schema.is_null());
    if form == Form::OrBool {
        return schema.or_else(|| fields.remove("Allows")).unwrap_or(Value::Null);
    }
    let list = fields.into_iter().map(|(_, list)| list);
    let mut list = list.filter(|list| list.as_array().is_some_and(|list| !list.is_empty()));
    list.next().or(schema).unwrap_or(Value::Null)
}

/// The same the other way: the values of the two fields. `None` if it is none of this.
pub(super) fn fields(form: Form, value: Option<&Value>) -> Option<[Option<&Value>; 2]> {
    static TRUE: Value = Value::Bool(true);
    Some(match (form, value) {
        (_, None) => [None, None],
        (Form::OrBool, Some(flag @ Value::Bool(_))) => [Some(flag), None],
        (Form::OrBool, Some(schema @ Value::Object(_))) => [Some(&TRUE), Some(schema)],
        (Form::OrList, Some(schema @ Value::Object(_))) => [Some(schema), None],
        (Form::OrList, Some(list @ Value::Array(_))) => [None, Some(list)],
        _ => return None,
    })
}

/// A number as it is read from what Go prints for it.
pub(super) fn number(value: f64) -> Result<Value, Error> {
    if !value.is_finite() {
        return Err(Error::NoForm("json: unsupported value"));
    }
    let is_whole =
        value.fract() == 0.0 && value.abs() < 1e21 && (value != 0.0 || value.is_sign_positive());
    let text = if is_whole { format!("{value:.0}") } else { return Ok(value.into()) };
    Ok(serde_json::from_str(&text).unwrap_or_else(|_| value.into()))
}
