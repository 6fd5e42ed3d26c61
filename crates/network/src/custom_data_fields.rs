//! Custom data fields that a network declares.

use crate::{
    Context, Error, Page, Precondition, Submission, UnitOfWork, audit, check_precondition,
};
use trunkline_domain::party::{CustomDataField, DataType};
use trunkline_domain::problem::BLANK;
use trunkline_store::StoredCustomDataField;

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
    unit: &mut UnitOfWork<'_>,
    context: &Context,
    page: Page,
) -> Result<Vec<StoredCustomDataField>, Error> {
    Ok(unit.custom_data_fields_page(context.principal.network_id, page)?)
}

/// Returns all fields of the network, in the order of their creation.
pub fn all(unit: &mut UnitOfWork<'_>, context: &Context) -> Result<Vec<CustomDataField>, Error> {
    Ok(unit.custom_data_fields(context.principal.network_id)?)
}

/// Returns one field.
pub fn get(
    unit: &mut UnitOfWork<'_>,
    context: &Context,
    name: &str,
) -> Result<CustomDataField, Error> {
    let found = unit.custom_data_field(context.principal.network_id, name)?;
    found.ok_or_else(|| Error::NotFound(format!("CustomDataField {name}")))
}

/// Creates or updates a field. The name in the body takes precedence over the one in the path. The
/// name is also the display name until another one is set.
pub fn put(
    unit: &mut UnitOfWork<'_>,
    context: &Context,
    path_name: Option<&str>,
    submitted: Submission<FieldChange>,
    precondition: &Precondition<CustomDataField>,
) -> Result<CustomDataField, Error> {
    context.principal.ensure_can_write_network()?;
    let network = context.principal.network_id;
    let Submission { change, mut problems } = submitted;
    let name = change.partner_name.or(path_name.map(str::to_owned)).unwrap_or_default();
    if name.trim().is_empty() && !problems.has_problem("partner_name") {
        problems.property("partner_name").add(BLANK);
    }
    let before = unit.custom_data_field(network, &name)?;
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
    if field.data_type == DataType::Category && no_values && !problems.has_problem("field_values") {
        problems.property("field_values").add(BLANK);
    }
    let field = problems.into_result(field)?;
    if before.as_ref() == Some(&field) {
        return Ok(field);
    }
    unit.upsert_custom_data_field(network, &field)?;
    audit::record(
        unit,
        context,
        audit_object(&field.partner_name),
        None,
        before.as_ref(),
        Some(&field),
    )?;
    Ok(field)
}

/// Deletes a field; does nothing if it does not exist. Values in existing objects stay.
pub fn delete(unit: &mut UnitOfWork<'_>, context: &Context, name: &str) -> Result<(), Error> {
    context.principal.ensure_can_write_network()?;
    let network = context.principal.network_id;
    let Some(field) = unit.custom_data_field(network, name)? else { return Ok(()) };
    unit.delete_custom_data_field(network, name)?;
    audit::record(unit, context, audit_object(name), None, Some(&field), None)
}
