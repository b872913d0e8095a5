//! Which of the forms a client asks for, in `Accept` and `includeObject`.

use crate::api::{Payload, Reason, Status};
use crate::object::Value;
use crate::sim::rest::discovery::accept::{self, JSON, YAML};

/// The three forms besides the usual one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// `Table`.
    Table,
    /// `PartialObjectMetadata`.
    Partial,
    /// `PartialObjectMetadataList`.
    PartialList,
}

/// How much of its object a row of a table carries: `includeObject`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Include {
    /// Nothing.
    None,
    /// Its metadata.
    #[default]
    Metadata,
    /// All of it.
    Object,
}

/// The form of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Transform {
    /// Which.
    pub form: Form,
    /// Whether it is to be of version `v1beta1`; else of `v1`, from which it differs by name.
    pub beta: bool,
    /// Of a table.
    pub include: Include,
}

impl Include {
    /// Reads `includeObject`; empty is as good as left out.
    ///
    /// # Errors
    /// 400 for another word.
    pub fn read(text: &str) -> Result<Self, Status> {
        match text {
            "None" => Ok(Self::None),
            "" | "Metadata" => Ok(Self::Metadata),
            "Object" => Ok(Self::Object),
            other => Err(Status::bad_request(format!(
                "Unable to convert to Table as requested: includeObject: Invalid value: {other:?}: must be 'Metadata', 'Object', 'None', or empty"
            ))),
        }
    }
}

impl Transform {
    /// The form that the first clause of `Accept` asks for which can be met; `None` if that is
    /// the usual one, or if there is no such clause, which is for the shell to refuse.
    ///
    /// # Errors
    /// 400 for a table with an `includeObject` that is none.
    pub fn of(accept: &str, include_object: &str) -> Result<Option<Self>, Status> {
        const PROTOBUF: &str = "application/vnd.kubernetes.protobuf";
        let known = |form: &accept::Form| form.kind.is_empty() || Self::named(form).is_some();
        let Some(form) = accept::choose_with(accept, &[JSON, YAML, PROTOBUF], known) else {
            return Ok(None);
        };
        let Some(mut transform) = Self::named(&form) else { return Ok(None) };
        if transform.form == Form::Table {
            transform.include = Include::read(include_object)?;
        }
        Ok(Some(transform))
    }

    fn named(asked: &accept::Form) -> Option<Self> {
        let form = match asked.kind.as_str() {
            "Table" => Form::Table,
            "PartialObjectMetadata" => Form::Partial,
            "PartialObjectMetadataList" => Form::PartialList,
            _ => return None,
        };
        let beta = match asked.version.as_str() {
            "v1" => false,
            "v1beta1" => true,
            _ => return None,
        };
        let is_meta = asked.group == "meta.k8s.io";
        is_meta.then_some(Self { form, beta, include: Include::default() })
    }

    /// Whether an answer can take the form.
    pub(super) fn fits(&self, payload: &Payload, is_custom: bool) -> Result<(), Status> {
        let text = match (self.form, payload) {
            (Form::Partial, Payload::List(list)) => {
                let ty = if is_custom {
                    "unstructured.UnstructuredList".to_owned()
                } else {
                    go_type(&list.api_version, &list.kind)
                };
                format!(
                    "you requested PartialObjectMetadata, but the requested object is a list (*{ty})"
                )
            }
            (Form::PartialList, Payload::Object(_)) if is_custom => {
                return Err(Status::new(500, Reason::Unknown, "content is not a list"));
            }
            (Form::PartialList, Payload::Object(object)) => format!(
                "you requested PartialObjectMetadataList, but the requested object is not a list (*{})",
                go_type(object.api_version(), object.kind())
            ),
            _ => return Ok(()),
        };
        Err(Status::new(406, Reason::NotAcceptable, text))
    }

    /// The same in the version that is asked for: every `meta.k8s.io/v1` in the value's own
    /// places becomes `meta.k8s.io/v1beta1`.
    pub(super) fn in_version(&self, mut value: Value) -> Value {
        fn rename(value: &mut Value) {
            if let Some(version) = value.get_mut("apiVersion").filter(|v| *v == "meta.k8s.io/v1") {
                *version = "meta.k8s.io/v1beta1".into();
            }
        }
        if self.beta {
            rename(&mut value);
            for list in ["rows", "items"] {
                for item in value.get_mut(list).and_then(Value::as_array_mut).into_iter().flatten()
                {
                    match item.get_mut("object") {
                        Some(object) => rename(object),
                        None => rename(item),
                    }
                }
            }
        }
        value
    }
}

/// How Go names the type of a built-in kind within the server.
fn go_type(api_version: &str, kind: &str) -> String {
    let group = api_version.split_once('/').map_or("core", |(group, _)| group);
    format!("{}.{kind}", group.split('.').next().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(accept: &str, expect: Option<(Form, bool)>) {
        let found = Transform::of(accept, "").unwrap();
        assert_eq!(found.map(|t| (t.form, t.beta)), expect, "{accept}");
    }

    #[test]
    fn the_first_clause_that_can_be_met_says_the_form() {
        check("application/json", None);
        check(
            "application/json;as=Table;v=v1;g=meta.k8s.io,application/json",
            Some((Form::Table, false)),
        );
        check("application/json;as=Table;v=v1beta1;g=meta.k8s.io", Some((Form::Table, true)));
        check("application/json;as=Table;v=v2;g=meta.k8s.io,application/json", None);
        check("application/json,application/json;as=Table;v=v1;g=meta.k8s.io", None);
        check(
            "application/vnd.kubernetes.protobuf;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1",
            Some((Form::PartialList, false)),
        );
        check("text/xml", None);
    }

    #[test]
    fn an_unknown_include_object_is_refused_for_a_table_alone() {
        let table = "application/json;as=Table;v=v1;g=meta.k8s.io";
        assert_eq!(Transform::of(table, "x").unwrap_err().code, 400);
        assert!(Transform::of("application/json", "x").unwrap().is_none());
    }
}
