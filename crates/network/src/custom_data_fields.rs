//! Custom data fields that a network declares.

use crate::{Context, Error, Guard, Page, Session, Submitted, audit, check_precondition};
use trunkline_domain::party::{CustomDataField, DataType};
use trunkline_domain::problem::BLANK;

/// Requested change of a field.
#[derive(Debug, Clone, Default)]
pub struct FieldChange {
    /// Key in `custom_data`.
    pub partner_name: Option<String>,
    /// Display name.
    pub friendly_name: Option<String>,
    /// Type of the values.
    pub data_type: Option<DataType>,
    /// Allowed values of a category.
    pub field_values: Option<Vec<String>>,
}

fn audit_object(name: &str) -> String {
    format!("custom_data_field:{name}")
}

/// Returns one page of the network's fields, each with its id, to any principal of the network.
pub fn list(
    session: &mut Session<'_>,
    context: &Context,
    page: Page,
) -> Result<Vec<(i64, CustomDataField)>, Error> {
    Ok(session.page_of_custom_data_fields(context.caller.network_id, page)?)
}

/// Returns one field.
pub fn get(
    session: &mut Session<'_>,
    context: &Context,
    name: &str,
) -> Result<CustomDataField, Error> {
    let found = session.custom_data_field(context.caller.network_id, name)?;
    found.ok_or_else(|| Error::NotFound(format!("CustomDataField {name}")))
}

/// Creates or updates a field. The name in the body takes precedence over the one in the path. The
/// name is also the display name until another one is set.
pub fn put(
    session: &mut Session<'_>,
    context: &Context,
    path_name: Option<&str>,
    submitted: Submitted<FieldChange>,
    precondition: &Guard<CustomDataField>,
) -> Result<CustomDataField, Error> {
    context.caller.require_network()?;
    let network = context.caller.network_id;
    let Submitted { change, mut problems } = submitted;
    let name = change.partner_name.or(path_name.map(str::to_owned)).unwrap_or_default();
    if name.trim().is_empty() && !problems.has("partner_name") {
        problems.at("partner_name").add(BLANK);
    }
    let before = session.custom_data_field(network, &name)?;
    check_precondition(precondition, before.as_ref())?;
    let previous = before.clone().unwrap_or_else(|| CustomDataField {
        partner_name: name.clone(),
        friendly_name: name.clone(),
        data_type: DataType::default(),
        field_values: Vec::new(),
    });
    let field = CustomDataField {
        partner_name: name,
        friendly_name: change.friendly_name.unwrap_or(previous.friendly_name),
        data_type: change.data_type.unwrap_or(previous.data_type),
        field_values: change.field_values.unwrap_or(previous.field_values),
    };
    let no_values = field.field_values.is_empty();
    if field.data_type == DataType::Category && no_values && !problems.has("field_values") {
        problems.at("field_values").add(BLANK);
    }
    let field = problems.or(field)?;
    if before.as_ref() == Some(&field) {
        return Ok(field);
    }
    session.put_custom_data_field(network, &field)?;
    audit::record(
        session,
        context,
        audit_object(&field.partner_name),
        None,
        before.as_ref(),
        Some(&field),
    )?;
    Ok(field)
}

/// Deletes a field; does nothing if it does not exist. Values in existing objects stay.
pub fn delete(session: &mut Session<'_>, context: &Context, name: &str) -> Result<(), Error> {
    context.caller.require_network()?;
    let network = context.caller.network_id;
    let Some(field) = session.custom_data_field(network, name)? else { return Ok(()) };
    session.delete_custom_data_field(network, name)?;
    audit::record(session, context, audit_object(name), None, Some(&field), None)
}
