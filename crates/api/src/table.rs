//! Tables: rows of the same columns as JSON, CSV or XML.

use crate::path_prefix::Format;
use axum::http::HeaderValue;
use quick_xml::Writer;
use quick_xml::escape::partial_escape;
use quick_xml::events::BytesText;
use serde::Serialize;
use serde_json::{Map, Value, json};
use std::io;

/// Value of a row in a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Cell {
    /// Text; empty if there is no value.
    Text(String),
    /// Integer; `None` if it is not known.
    Integer(Option<i64>),
    /// Text of a custom data field; `None` if there is no value.
    OptionalText(Option<String>),
    /// Values of custom data fields. CSV contains them as JSON.
    Data(Vec<Datum>),
}

/// Value of a custom data field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Datum {
    /// Name of the field.
    pub(crate) name: String,
    /// Type of the field; empty if it was deleted.
    pub(crate) data_type: &'static str,
    /// Source of the value; empty if it is not known.
    pub(crate) source: &'static str,
    pub(crate) value: String,
}

/// CSV dialect.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CsvStyle {
    /// Separator of columns: one ASCII character.
    pub(crate) column_separator: u8,
    /// Ends lines with CR and LF instead of LF.
    pub(crate) crlf: bool,
    /// Writes the names of the columns as the first line.
    pub(crate) header: bool,
    /// Quotes every field, not only those that need it.
    pub(crate) force_quotes: bool,
    /// Writes `'` before a text that a spreadsheet would read as a formula.
    pub(crate) neutralize: bool,
}

impl Default for CsvStyle {
    fn default() -> Self {
        Self {
            column_separator: b',',
            crlf: false,
            header: true,
            force_quotes: false,
            neutralize: false,
        }
    }
}

/// Format and columns of a table.
#[derive(Debug, Clone)]
pub(crate) struct Table {
    format: Format,
    csv: CsvStyle,
    columns: Vec<String>,
    /// JSON texts of the columns' names, each with a colon.
    json_names: Vec<String>,
    /// XML elements of the columns.
    xml_names: Vec<String>,
    /// XML element of the table.
    table_element: &'static str,
    /// XML element of a row.
    row_element: &'static str,
}

impl Cell {
    /// Returns the cell's JSON value.
    fn to_json(&self) -> Value {
        match self {
            Self::Text(text) => text.as_str().into(),
            Self::Integer(number) => (*number).into(),
            Self::OptionalText(text) => text.as_deref().into(),
            Self::Data(data) => json!(data),
        }
    }

    fn write_json(&self, bytes: &mut Vec<u8>) -> serde_json::Result<()> {
        match self {
            Self::Text(text) => serde_json::to_writer(bytes, text),
            Self::Integer(number) => serde_json::to_writer(bytes, number),
            Self::OptionalText(text) => serde_json::to_writer(bytes, text),
            Self::Data(data) => serde_json::to_writer(bytes, data),
        }
    }

    fn to_text(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Integer(number) => number.map(|number| number.to_string()).unwrap_or_default(),
            Self::OptionalText(text) => text.clone().unwrap_or_default(),
            Self::Data(data) if data.is_empty() => String::new(),
            Self::Data(_) => self.to_json().to_string(),
        }
    }
}

/// First characters of a field that a spreadsheet reads as a formula.
const FORMULA_STARTS: [char; 6] = ['=', '+', '-', '@', '\t', '\r'];

/// Returns true if the texts of a column are amounts or phone numbers, which may begin with a sign.
fn holds_numbers(column: &str) -> bool {
    column == "amount"
        || column == "promo_number"
        || ["_localized", "_difference", "phone_number"].iter().any(|end| column.ends_with(end))
}

/// Returns true if a text has the characters of amounts and phone numbers only.
fn is_numeric(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit() || b"+-.#*x, ()".contains(&byte))
}

/// Returns the XML element of a column. Characters that no name can have become `_`.
fn xml_name(column: &str) -> String {
    let is_letter = |c: char| match c {
        'A'..='Z' | 'a'..='z' | '_' => true,
        '\u{d7}' | '\u{f7}' | '\u{37e}' => false,
        '\u{c0}'..='\u{2ff}' | '\u{370}'..='\u{1fff}' | '\u{2c00}'..='\u{2fef}' => true,
        '\u{3001}'..='\u{d7ff}' | '\u{f900}'..='\u{fdcf}' | '\u{10000}'..='\u{effff}' => true,
        _ => false,
    };
    let is_allowed = |c: char| is_letter(c) || c.is_ascii_digit() || c == '-' || c == '.';
    let name: String = column.chars().map(|c| if is_allowed(c) { c } else { '_' }).collect();
    if name.starts_with(is_letter) { name } else { format!("_{name}") }
}

impl Table {
    /// Creates a table. The elements are those of the table and of a row in XML.
    pub(crate) fn new(
        (format, csv): (Format, CsvStyle),
        columns: Vec<String>,
        (table_element, row_element): (&'static str, &'static str),
    ) -> Self {
        Self {
            format,
            csv,
            json_names: columns.iter().map(|name| format!("{}:", json!(name))).collect(),
            xml_names: columns.iter().map(|name| xml_name(name)).collect(),
            columns,
            table_element,
            row_element,
        }
    }

    /// Returns the table's `Content-Type`.
    pub(crate) fn content_type(&self) -> HeaderValue {
        HeaderValue::from_static(match self.format {
            Format::Json => "application/json; charset=utf-8",
            Format::Csv => "text/csv; charset=utf-8",
            Format::Xml => "application/xml; charset=utf-8",
        })
    }

    /// Returns the bytes before the first row.
    pub(crate) fn render_start(&self) -> Vec<u8> {
        match self.format {
            Format::Json => b"[".to_vec(),
            Format::Csv if self.csv.header => {
                let names = self.columns.iter().map(|name| self.neutralize(name.clone()));
                self.csv_lines([names.collect()])
            }
            Format::Csv => Vec::new(),
            Format::Xml => {
                let name = self.table_element;
                format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<{name}>\n").into_bytes()
            }
        }
    }

    /// Returns the bytes of rows. `is_first` is true if they contain the table's first row.
    pub(crate) fn render_rows(&self, rows: &[Vec<Cell>], is_first: bool) -> Vec<u8> {
        match self.format {
            Format::Json => {
                let mut bytes = Vec::new();
                for (index, row) in rows.iter().enumerate() {
                    if index > 0 || !is_first {
                        bytes.push(b',');
                    }
                    self.write_json_row(row, &mut bytes);
                }
                bytes
            }
            Format::Csv => self.csv_lines(rows.iter().map(|row| self.csv_line(row))),
            Format::Xml => self.xml_rows(rows).expect("writing to memory does not fail"),
        }
    }

    /// Returns the bytes after the last row.
    pub(crate) fn render_end(&self) -> Vec<u8> {
        match self.format {
            Format::Json => b"]".to_vec(),
            Format::Csv => Vec::new(),
            Format::Xml => format!("</{}>\n", self.table_element).into_bytes(),
        }
    }

    /// Returns a row as a JSON object.
    pub(crate) fn row_to_object(&self, row: &[Cell]) -> Map<String, Value> {
        self.columns.iter().cloned().zip(row.iter().map(Cell::to_json)).collect()
    }

    fn write_json_row(&self, row: &[Cell], bytes: &mut Vec<u8>) {
        bytes.push(b'{');
        for (index, (name, cell)) in self.json_names.iter().zip(row).enumerate() {
            if index > 0 {
                bytes.push(b',');
            }
            bytes.extend_from_slice(name.as_bytes());
            cell.write_json(bytes).expect("writing to memory does not fail");
        }
        bytes.push(b'}');
    }

    /// Returns a text that no spreadsheet reads as a formula, if the dialect asks for that.
    fn neutralize(&self, text: String) -> String {
        match self.csv.neutralize && text.starts_with(FORMULA_STARTS) {
            true => format!("'{text}"),
            false => text,
        }
    }

    fn csv_line(&self, row: &[Cell]) -> Vec<String> {
        let field = |(name, cell): (&String, &Cell)| match cell {
            Cell::Integer(_) => cell.to_text(),
            Cell::Text(text) if holds_numbers(name) && is_numeric(text) => text.clone(),
            _ => self.neutralize(cell.to_text()),
        };
        self.columns.iter().zip(row).map(field).collect()
    }

    fn csv_lines(&self, lines: impl IntoIterator<Item = Vec<String>>) -> Vec<u8> {
        let CsvStyle { column_separator, crlf, force_quotes, .. } = self.csv;
        let terminator = if crlf { csv::Terminator::CRLF } else { csv::Terminator::Any(b'\n') };
        let quote_style =
            if force_quotes { csv::QuoteStyle::Always } else { csv::QuoteStyle::Necessary };
        let mut writer = csv::WriterBuilder::new()
            .delimiter(column_separator)
            .terminator(terminator)
            .quote_style(quote_style)
            .from_writer(Vec::new());
        for line in lines {
            writer.write_record(&line).expect("writing to memory does not fail");
        }
        writer.into_inner().expect("writing to memory does not fail")
    }

    fn xml_rows(&self, rows: &[Vec<Cell>]) -> io::Result<Vec<u8>> {
        let mut writer = Writer::new(Vec::new());
        for row in rows {
            let element = writer.create_element(self.row_element);
            element.write_inner_content(|writer| {
                for (name, cell) in self.xml_names.iter().zip(row) {
                    let element = writer.create_element(name.as_str());
                    match cell {
                        Cell::Data(data) => {
                            element.write_inner_content(|writer| xml_data(writer, data))?;
                        }
                        _ => xml_text(element, &cell.to_text())?,
                    }
                }
                Ok(())
            })?;
            writer.get_mut().push(b'\n');
        }
        Ok(writer.into_inner())
    }
}

type Element<'a> = quick_xml::writer::ElementWriter<'a, Vec<u8>>;

fn xml_data(writer: &mut Writer<Vec<u8>>, data: &[Datum]) -> io::Result<()> {
    for Datum { name, data_type, source, value } in data {
        writer.create_element("custom_datum").write_inner_content(|writer| {
            xml_text(writer.create_element("name"), name)?;
            xml_text(writer.create_element("data_type"), data_type)?;
            xml_text(writer.create_element("source"), source)?;
            xml_text(writer.create_element("value"), value)
        })?;
    }
    Ok(())
}

fn xml_text(element: Element<'_>, text: &str) -> io::Result<()> {
    if text.is_empty() {
        element.write_empty()?;
        return Ok(());
    }
    // Characters that XML 1.0 cannot represent are removed. A bare CR is escaped, because a parser
    // would read it as LF.
    let is_xml_char = |c: &char| !matches!(c, '\0'..='\u{8}' | '\u{b}' | '\u{c}' | '\u{e}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}');
    let text: String = text.chars().filter(is_xml_char).collect();
    let escaped = partial_escape(text.as_str()).replace('\r', "&#13;");
    element.write_text_content(BytesText::from_escaped(escaped))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table_of(format: Format, csv: CsvStyle, columns: &[&str]) -> Table {
        let columns = columns.iter().map(ToString::to_string).collect();
        Table::new((format, csv), columns, ("transactions", "transaction"))
    }

    fn table(format: Format) -> Table {
        table_of(format, CsvStyle::default(), &["a", "b", "c"])
    }

    fn render(table: &Table, rows: &[Vec<Cell>]) -> String {
        let bytes =
            [table.render_start(), table.render_rows(rows, true), table.render_end()].concat();
        String::from_utf8(bytes).unwrap()
    }

    fn rows() -> Vec<Vec<Cell>> {
        let text = |text: &str| Cell::Text(text.to_owned());
        let datum = Datum {
            name: "channel".to_owned(),
            data_type: "Short Text",
            source: "Api",
            value: "TV & \"Radio\"".to_owned(),
        };
        vec![
            vec![text("plain"), Cell::Integer(Some(7)), Cell::Data(Vec::new())],
            vec![text("a,\"b\"\r\n<c>\u{1}"), Cell::Integer(None), Cell::Data(vec![datum])],
        ]
    }

    #[test]
    fn json_is_an_array_of_objects() {
        assert_eq!(render(&table(Format::Json), &[]), "[]");
        assert_eq!(
            render(&table(Format::Json), &rows()),
            r#"[{"a":"plain","b":7,"c":[]},{"a":"a,\"b\"\r\n<c>\u0001","b":null,"c":[{"name":"channel","data_type":"Short Text","source":"Api","value":"TV & \"Radio\""}]}]"#
        );
    }

    #[test]
    fn csv_quotes_where_needed_or_everywhere() {
        let mut table = table(Format::Csv);
        assert_eq!(render(&table, &[]), "a,b,c\n");
        assert_eq!(
            render(&table, &rows()),
            "a,b,c\nplain,7,\n\"a,\"\"b\"\"\r\n<c>\u{1}\",,\"[{\"\"name\"\":\"\"channel\"\",\"\"data_type\"\":\"\"Short Text\"\",\"\"source\"\":\"\"Api\"\",\"\"value\"\":\"\"TV & \\\"\"Radio\\\"\"\"\"}]\"\n"
        );
        table.csv = CsvStyle {
            column_separator: b'|',
            crlf: true,
            header: false,
            force_quotes: true,
            neutralize: false,
        };
        assert_eq!(render(&table, &rows()[..1]), "\"plain\"|\"7\"|\"\"\r\n");
        assert_eq!(render(&table, &[]), "");
    }

    #[test]
    fn csv_neutralizes_formulas() {
        let texts = ["=1+1", "+1", "-1", "@A1", "\t=1", "\r=1", "a=1", ""];
        let table = |neutralize| {
            let csv = CsvStyle { neutralize, ..CsvStyle::default() };
            let columns =
                ["affiliate_name", "calling_phone_number", "margin_localized", "duration"];
            table_of(Format::Csv, csv, &columns)
        };
        let numbers = ["+442071838750".to_owned(), "-7.50".to_owned()];
        for text in texts {
            let row = [
                Cell::Text(text.to_owned()),
                Cell::Text(numbers[0].clone()),
                Cell::Text(numbers[1].clone()),
                Cell::Integer(Some(-1)),
            ];
            let line = table(true).csv_line(&row);
            let is_formula = text.starts_with(FORMULA_STARTS);
            assert_eq!(line[0], if is_formula { format!("'{text}") } else { text.to_owned() });
            assert_eq!(line[1..], [numbers[0].as_str(), numbers[1].as_str(), "-1"]);
            assert_eq!(table(false).csv_line(&row)[0], text);
        }
    }

    #[test]
    fn csv_round_trips_control_characters_and_quotes() {
        let bytes = render(&table(Format::Csv), &rows());
        let mut reader = csv::Reader::from_reader(bytes.as_bytes());
        let read: Vec<String> =
            reader.records().map(|record| record.unwrap()[0].to_owned()).collect();
        assert_eq!(read, ["plain", "a,\"b\"\r\n<c>\u{1}"]);
    }

    #[test]
    fn xml_escapes_text_and_removes_invalid_characters() {
        assert_eq!(
            render(&table(Format::Xml), &rows()),
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<transactions>\n\
             <transaction><a>plain</a><b>7</b><c></c></transaction>\n\
             <transaction><a>a,\"b\"&#13;\n&lt;c&gt;</a><b/><c><custom_datum>\
             <name>channel</name><data_type>Short Text</data_type><source>Api</source><value>TV &amp; \"Radio\"</value></custom_datum></c></transaction>\n\
             </transactions>\n"
        );
    }

    /// Custom data fields are named freely, and destinations may be any text.
    #[test]
    fn csv_neutralizes_names_and_texts_in_columns_of_numbers() {
        let csv = CsvStyle { neutralize: true, ..CsvStyle::default() };
        let table = table_of(Format::Csv, csv, &["=phone_number", "destination_phone_number"]);
        let formula = || "=HYPERLINK(1)".to_owned();
        let row = vec![Cell::OptionalText(Some("+1".to_owned())), Cell::Text(formula())];
        assert_eq!(
            render(&table, &[row]),
            "'=phone_number,destination_phone_number\n'+1,'=HYPERLINK(1)\n"
        );
    }

    #[test]
    fn xml_elements_have_valid_names() {
        for (column, element) in [
            ("utm_source.source", "utm_source.source"),
            ("Größe", "Größe"),
            ("utm source", "utm_source"),
            ("1st", "_1st"),
            ("a><b/", "a__b_"),
            ("", "_"),
        ] {
            assert_eq!(xml_name(column), element);
        }
    }
}
