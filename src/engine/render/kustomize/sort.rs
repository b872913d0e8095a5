//! The order of the result: as listed, or by kind, so that what others need comes first.

use super::Order;
use super::kustomization::SortOptions;
use super::resource::{Resource, Resources};
use crate::engine::model::RenderError;
use crate::object::order;

/// Puts the resources in the order that the kustomization asks for, or else the caller.
///
/// # Errors
/// Where the kustomization asks for an order that there is none of, or two resources have one id.
pub(super) fn apply(
    resources: &mut Resources,
    asked: Option<&SortOptions>,
    default: Order,
    file: &str,
) -> Result<(), RenderError> {
    let refused = |options: &SortOptions, message: &str| {
        let at = options.order.place;
        Err(RenderError {
            file: file.to_owned(),
            line: at.line,
            column: at.column,
            message: message.to_owned(),
        })
    };
    let kinds = match asked {
        None if default == Order::Listed => return Ok(()),
        None => None,
        Some(options) => match (options.order.text.as_str(), &options.legacy) {
            ("fifo", None) => return Ok(()),
            ("fifo", Some(_)) => {
                let message = "the field 'sortOptions.legacySortOptions' is set but the selected \
                               sort order is 'fifo', not 'legacy'";
                return refused(options, message);
            }
            ("legacy", legacy) => legacy.as_ref(),
            _ => {
                let message = "the field 'sortOptions.order' must be one of [fifo, legacy]";
                return refused(options, message);
            }
        },
    };
    resources.refuse_twins()?;
    match kinds {
        None => resources.list.sort_by_cached_key(|resource| order::kind_key(&resource.object)),
        Some((first, last)) => {
            let rank = |resource: &Resource| rank(resource.object.kind(), first, last);
            resources.list.sort_by_cached_key(|resource| {
                (rank(resource), order::kind_key_unranked(&resource.object))
            });
        }
    }
    Ok(())
}

/// Where a kind stands among those that come first and last; of a kind named twice the later
/// place counts.
fn rank(kind: &str, first: &[String], last: &[String]) -> (i8, usize) {
    let at = |list: &[String]| list.iter().rposition(|name| name == kind);
    match (at(last), at(first)) {
        (Some(at), _) => (1, at),
        (None, Some(at)) => (-1, at),
        (None, None) => (0, 0),
    }
}
