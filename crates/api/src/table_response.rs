//! Table responses: rows of the same columns as JSON, CSV or XML, streamed page by page, so that
//! memory does not grow with their number.

use crate::api_request::ApiRequest;
use crate::errors::ApiError;
use crate::object_response::Object;
use crate::path_prefix::Format;
use axum::body::{Body, Bytes};
use axum::http::{HeaderValue, Response, header};
use futures_util::stream::try_unfold;
use quick_xml::Writer;
use quick_xml::escape::partial_escape;
use quick_xml::events::BytesText;
use serde_json::{Value, json};
use std::io;
use trunkline_network::{Context, Error, Page, UnitOfWork};

/// Rows read from one snapshot.
const PAGE_ROWS: u32 = 200;

/// Value of a row in a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Cell {
    /// Text; empty if there is no value.
    Text(String),
    /// Integer; `None` if it is not known.
    Integer(Option<i64>),
    /// Names and values. CSV contains them as JSON.
    Pairs(Vec<(String, String)>),
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
    pub(crate) format: Format,
    pub(crate) csv: CsvStyle,
    pub(crate) columns: Vec<&'static str>,
    /// XML element of the table.
    pub(crate) table_element: &'static str,
    /// XML element of a row.
    pub(crate) row_element: &'static str,
}

/// One page of a table.
pub(crate) struct TablePage {
    pub(crate) rows: Vec<Vec<Cell>>,
    /// Id of the last row read, where the next page continues; `None` at the end of the table.
    pub(crate) next_cursor: Option<i64>,
}

impl Cell {
    /// Returns the cell's JSON value.
    pub(crate) fn to_json(&self) -> Value {
        match self {
            Self::Text(text) => text.as_str().into(),
            Self::Integer(number) => (*number).into(),
            Self::Pairs(pairs) => {
                pairs.iter().map(|(name, value)| json!({"name": name, "value": value})).collect()
            }
        }
    }

    fn to_text(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Integer(number) => number.map(|number| number.to_string()).unwrap_or_default(),
            Self::Pairs(pairs) if pairs.is_empty() => String::new(),
            Self::Pairs(_) => self.to_json().to_string(),
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

impl Table {
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
                self.csv_lines([self.columns.iter().map(|name| (*name).to_owned()).collect()])
            }
            Format::Csv => Vec::new(),
            Format::Xml => {
                let name = self.table_element;
                format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<{name}>\n").into_bytes()
            }
        }
    }

    /// Returns the bytes of rows. `is_first` says that they contain the table's first row.
    pub(crate) fn render_rows(&self, rows: &[Vec<Cell>], is_first: bool) -> Vec<u8> {
        match self.format {
            Format::Json => {
                let mut bytes = Vec::new();
                for (index, row) in rows.iter().enumerate() {
                    if index > 0 || !is_first {
                        bytes.push(b',');
                    }
                    let object = Value::Object(self.row_to_object(row));
                    bytes.extend_from_slice(object.to_string().as_bytes());
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
    pub(crate) fn row_to_object(&self, row: &[Cell]) -> Object {
        let names = self.columns.iter().map(|name| (*name).to_owned());
        names.zip(row.iter().map(Cell::to_json)).collect()
    }

    fn csv_line(&self, row: &[Cell]) -> Vec<String> {
        let field = |(name, cell): (&&str, &Cell)| {
            let text = cell.to_text();
            let is_text = !matches!(cell, Cell::Integer(_)) && !holds_numbers(name);
            if self.csv.neutralize && is_text && text.starts_with(FORMULA_STARTS) {
                return format!("'{text}");
            }
            text
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
                for (name, cell) in self.columns.iter().zip(row) {
                    let element = writer.create_element(*name);
                    match cell {
                        Cell::Pairs(pairs) => {
                            element.write_inner_content(|writer| xml_pairs(writer, pairs))?;
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

fn xml_pairs(writer: &mut Writer<Vec<u8>>, pairs: &[(String, String)]) -> io::Result<()> {
    for (name, value) in pairs {
        writer.create_element("custom_datum").write_inner_content(|writer| {
            xml_text(writer.create_element("name"), name)?;
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

/// State of a table that is being streamed.
struct TableStream<F> {
    request: ApiRequest,
    table: Table,
    fetch: F,
    /// Bytes of the next chunk.
    next_chunk: Vec<u8>,
    /// Id of the last row read.
    after: i64,
    /// Rows left until the limit.
    remaining: u32,
    has_more: bool,
    /// True if no row was rendered.
    is_first: bool,
}

impl ApiRequest {
    /// Returns a table response of at most `limit` rows whose ids are greater than `after`. `fetch`
    /// reads one page. The first page is read before the response begins, so that its error still
    /// determines the status.
    pub(crate) fn respond_table<F>(
        self,
        table: Table,
        after: i64,
        limit: u32,
        fetch: F,
    ) -> Response<Body>
    where
        F: Fn(&mut UnitOfWork<'_>, &Context, Page) -> Result<TablePage, Error> + Send + 'static,
    {
        let content_type = table.content_type();
        let mut stream = TableStream {
            request: self,
            next_chunk: table.render_start(),
            table,
            fetch,
            after,
            remaining: limit,
            has_more: true,
            is_first: true,
        };
        if let Err(error) = stream.render_page() {
            return ApiError::UseCase(error).into_response(&stream.request.app);
        }
        let body = try_unfold(Some(stream), |stream| async move {
            let Some(mut stream) = stream else { return Ok(None) };
            let mut bytes = std::mem::take(&mut stream.next_chunk);
            if stream.has_more {
                stream.render_page()?;
                return Ok::<_, Error>(Some((Bytes::from(bytes), Some(stream))));
            }
            bytes.extend(stream.table.render_end());
            Ok(Some((Bytes::from(bytes), None)))
        });
        let mut response = Response::new(Body::from_stream(body));
        response.headers_mut().insert(header::CONTENT_TYPE, content_type);
        response
    }
}

impl<F> TableStream<F>
where
    F: Fn(&mut UnitOfWork<'_>, &Context, Page) -> Result<TablePage, Error>,
{
    /// Reads the next page and appends its bytes to the next chunk.
    fn render_page(&mut self) -> Result<(), Error> {
        let page = Page::new(self.after, self.remaining.min(PAGE_ROWS));
        let ApiRequest { app, context, credential_guard, .. } = &self.request;
        let TablePage { rows, next_cursor } = app.store.read(|unit| {
            credential_guard.revalidate(unit)?;
            (self.fetch)(unit, context, page)
        })?;
        self.next_chunk.extend(self.table.render_rows(&rows, self.is_first));
        self.is_first &= rows.is_empty();
        self.remaining -= page.limit;
        self.has_more = next_cursor.is_some() && self.remaining > 0;
        self.after = next_cursor.unwrap_or(self.after);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(format: Format) -> Table {
        Table {
            format,
            csv: CsvStyle::default(),
            columns: vec!["a", "b", "c"],
            table_element: "transactions",
            row_element: "transaction",
        }
    }

    fn render(table: &Table, rows: &[Vec<Cell>]) -> String {
        let bytes =
            [table.render_start(), table.render_rows(rows, true), table.render_end()].concat();
        String::from_utf8(bytes).unwrap()
    }

    fn rows() -> Vec<Vec<Cell>> {
        let text = |text: &str| Cell::Text(text.to_owned());
        let pair = ("channel".to_owned(), "TV & \"Radio\"".to_owned());
        vec![
            vec![text("plain"), Cell::Integer(Some(7)), Cell::Pairs(Vec::new())],
            vec![text("a,\"b\"\r\n<c>\u{1}"), Cell::Integer(None), Cell::Pairs(vec![pair])],
        ]
    }

    #[test]
    fn json_is_an_array_of_objects() {
        assert_eq!(render(&table(Format::Json), &[]), "[]");
        assert_eq!(
            render(&table(Format::Json), &rows()),
            r#"[{"a":"plain","b":7,"c":[]},{"a":"a,\"b\"\r\n<c>\u0001","b":null,"c":[{"name":"channel","value":"TV & \"Radio\""}]}]"#
        );
    }

    #[test]
    fn csv_quotes_where_needed_or_everywhere() {
        let mut table = table(Format::Csv);
        assert_eq!(render(&table, &[]), "a,b,c\n");
        assert_eq!(
            render(&table, &rows()),
            "a,b,c\nplain,7,\n\"a,\"\"b\"\"\r\n<c>\u{1}\",,\"[{\"\"name\"\":\"\"channel\"\",\"\"value\"\":\"\"TV & \\\"\"Radio\\\"\"\"\"}]\"\n"
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
        let table = |neutralize| Table {
            format: Format::Csv,
            csv: CsvStyle { neutralize, ..CsvStyle::default() },
            columns: vec!["affiliate_name", "calling_phone_number", "margin_localized", "duration"],
            table_element: "t",
            row_element: "r",
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
             <name>channel</name><value>TV &amp; \"Radio\"</value></custom_datum></c></transaction>\n\
             </transactions>\n"
        );
    }
}
