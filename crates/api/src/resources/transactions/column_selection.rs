//! Selection of columns: `include_columns` without `exclude_columns`.

use super::column_table::COLUMNS;
use super::columns::{Column, CustomFields, LedgerEntry, Viewer};
use crate::path_prefix::Format;
use crate::table::Cell;
use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

/// Columns by name.
static COLUMNS_BY_NAME: LazyLock<HashMap<&'static str, &'static Column>> =
    LazyLock::new(|| COLUMNS.iter().map(|column| (column.name, column)).collect());

/// Columns that no custom data field replaces, because they identify a row.
pub(crate) const KEY_COLUMNS: [&str; 3] =
    ["transaction_id", "complete_call_id", "transaction_type"];

/// Suffix of the column with the source of a custom data field's value.
const SOURCE_SUFFIX: &str = ".source";

/// Column that was selected.
#[derive(Debug, Clone)]
pub(super) enum SelectedColumn {
    Standard(&'static Column),
    /// Value of a custom data field.
    CustomValue(String),
    /// Source of the value of a custom data field.
    CustomSource(String),
}

impl SelectedColumn {
    pub(super) fn name(&self) -> String {
        match self {
            Self::Standard(column) => column.name.to_owned(),
            Self::CustomValue(field) => field.clone(),
            Self::CustomSource(field) => format!("{field}{SOURCE_SUFFIX}"),
        }
    }

    pub(super) fn cell(&self, entry: &LedgerEntry<'_>) -> Cell {
        match self {
            Self::Standard(column) => column.cell(entry),
            Self::CustomValue(field) => Cell::OptionalText(entry.custom_value(field).cloned()),
            Self::CustomSource(field) => {
                Cell::OptionalText(entry.custom_source(field).map(str::to_owned))
            }
        }
    }
}

/// Columns that can be selected.
pub(super) struct AvailableColumns<'a> {
    pub(super) viewer: Viewer,
    pub(super) format: Format,
    /// Custom data fields; none for affiliates.
    pub(super) fields: &'a CustomFields,
}

/// Result of a selection.
#[derive(Debug, Default)]
pub(super) struct Selection {
    pub(super) columns: Vec<SelectedColumn>,
    /// Names of the request that are no columns.
    pub(super) unknown: Vec<String>,
}

impl AvailableColumns<'_> {
    /// Returns the default columns of the view. A custom data field replaces the column of its name.
    pub(super) fn default_columns(&self) -> Vec<SelectedColumn> {
        let defaults = COLUMNS.iter().filter(|column| column.is_default(self.viewer));
        defaults.map(|column| self.standard_column(column)).collect()
    }

    fn standard_column(&self, column: &'static Column) -> SelectedColumn {
        let is_replaced = self.fields.contains(column.name) && !KEY_COLUMNS.contains(&column.name);
        match is_replaced {
            true => SelectedColumn::CustomValue(column.name.to_owned()),
            false => SelectedColumn::Standard(column),
        }
    }

    /// Returns the columns that a constant stands for; `None` if the name is no constant.
    fn expand_constant(&self, name: &str) -> Option<Vec<SelectedColumn>> {
        let names = self.fields.names.iter().cloned();
        match name {
            "$default" | "$invoca_default_columns" => Some(self.default_columns()),
            "$invoca_custom_columns" => {
                let is_free = |name: &String| !KEY_COLUMNS.contains(&name.as_str());
                Some(names.filter(is_free).map(SelectedColumn::CustomValue).collect())
            }
            "$invoca_custom_source_columns" => {
                Some(names.map(SelectedColumn::CustomSource).collect())
            }
            _ => None,
        }
    }

    fn find(&self, name: &str) -> Option<SelectedColumn> {
        // CSV has no place for nested values.
        let standard = COLUMNS_BY_NAME
            .get(name)
            .filter(|column| column.name != "custom_data" || self.format != Format::Csv);
        if let Some(column) = standard {
            return Some(self.standard_column(column));
        }
        if self.fields.contains(name) {
            return Some(SelectedColumn::CustomValue(name.to_owned()));
        }
        let field = name.strip_suffix(SOURCE_SUFFIX)?;
        self.fields.contains(field).then(|| SelectedColumn::CustomSource(field.to_owned()))
    }

    /// Selects columns, each once, in the order of the request. A column that is included by name is
    /// excluded by name only, not by a constant.
    pub(super) fn select<'n>(
        &self,
        included: impl Iterator<Item = &'n str>,
        excluded: impl Iterator<Item = &'n str>,
    ) -> Selection {
        let mut selection = Selection::default();
        let mut excluded_names: HashSet<String> = HashSet::new();
        let mut excluded_by_constant: HashSet<String> = HashSet::new();
        let mut seen_constants: HashSet<&str> = HashSet::new();
        for name in excluded {
            if name.starts_with('$') && !seen_constants.insert(name) {
                continue;
            }
            match self.expand_constant(name) {
                Some(columns) => {
                    excluded_by_constant.extend(columns.iter().map(SelectedColumn::name));
                }
                None if self.find(name).is_some() => {
                    excluded_names.insert(name.to_owned());
                }
                None => selection.unknown.push(name.to_owned()),
            }
        }
        let mut seen_constants: HashSet<&str> = HashSet::new();
        let mut named: HashSet<&str> = HashSet::new();
        let mut candidates: Vec<SelectedColumn> = Vec::new();
        let mut has_items = false;
        for name in included {
            has_items = true;
            if name.starts_with('$') && !seen_constants.insert(name) {
                continue;
            }
            match self.expand_constant(name) {
                Some(columns) => candidates.extend(columns),
                None if !named.insert(name) => {}
                None => match self.find(name) {
                    Some(column) => candidates.push(column),
                    None => selection.unknown.push(name.to_owned()),
                },
            }
        }
        if !has_items {
            candidates = self.default_columns();
        }
        let mut selected: HashSet<String> = HashSet::new();
        for column in candidates {
            let name = column.name();
            let by_constant =
                excluded_by_constant.contains(&name) && !named.contains(name.as_str());
            if !by_constant && !excluded_names.contains(&name) && selected.insert(name) {
                selection.columns.push(column);
            }
        }
        selection
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn column_names_are_unique() {
        let names: HashSet<&str> = COLUMNS.iter().map(|column| column.name).collect();
        assert_eq!(names.len(), COLUMNS.len());
    }
}
