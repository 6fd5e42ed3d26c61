//! Tables: rows of the same columns as JSON, CSV or XML, streamed page by page, so that memory does
//! not grow with their length.

use crate::errors::Refusal;
use crate::incoming::Incoming;
use crate::path::Format;
use crate::reply::Object;
use axum::body::{Body, Bytes};
use axum::http::{HeaderValue, Response, header};
use futures_util::stream;
use quick_xml::Writer;
use quick_xml::escape::partial_escape;
use quick_xml::events::BytesText;
use serde_json::{Value, json};
use std::io;
use trunkline_network::{Context, Error, Page, Session};

/// Rows read at a time, each time from a snapshot of its own.
const PAGE: u32 = 200;

/// What stands in a row under a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Cell {
    /// Text; empty where there is nothing to say.
    Text(String),
    /// A whole number; `None` where it is not known.
    Whole(Option<i64>),
    /// Names and values; as JSON in CSV.
    Pairs(Vec<(String, String)>),
}

/// How CSV is written.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CsvStyle {
    /// Between columns: one ASCII character.
    pub(crate) column_separator: u8,
    /// Whether lines end with CR and LF, not LF alone.
    pub(crate) crlf: bool,
    /// Whether the first line names the columns.
    pub(crate) header: bool,
    /// Whether every field is quoted, not only those that need it.
    pub(crate) force_quotes: bool,
}

impl Default for CsvStyle {
    fn default() -> Self {
        Self { column_separator: b',', crlf: false, header: true, force_quotes: false }
    }
}

/// What all rows of a table have in common.
#[derive(Debug, Clone)]
pub(crate) struct Table {
    pub(crate) format: Format,
    pub(crate) csv: CsvStyle,
    pub(crate) columns: Vec<&'static str>,
    /// What XML calls the table, and a row.
    pub(crate) names: (&'static str, &'static str),
}

/// One page of a table, and our id of the last row looked at: where the next one goes on.
pub(crate) struct Rows {
    pub(crate) rows: Vec<Vec<Cell>>,
    pub(crate) last: Option<i64>,
}

impl Cell {
    /// As JSON has it.
    pub(crate) fn to_json(&self) -> Value {
        match self {
            Self::Text(text) => text.as_str().into(),
            Self::Whole(number) => (*number).into(),
            Self::Pairs(pairs) => {
                pairs.iter().map(|(name, value)| json!({"name": name, "value": value})).collect()
            }
        }
    }

    fn to_text(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Whole(number) => number.map(|it| it.to_string()).unwrap_or_default(),
            Self::Pairs(pairs) if pairs.is_empty() => String::new(),
            Self::Pairs(_) => self.to_json().to_string(),
        }
    }
}

impl Table {
    /// The table's Content-Type.
    pub(crate) fn content_type(&self) -> HeaderValue {
        HeaderValue::from_static(match self.format {
            Format::Json => "application/json; charset=utf-8",
            Format::Csv => "text/csv; charset=utf-8",
            Format::Xml => "application/xml; charset=utf-8",
        })
    }

    /// What stands before the first row.
    pub(crate) fn start(&self) -> Vec<u8> {
        match self.format {
            Format::Json => b"[".to_vec(),
            Format::Csv if self.csv.header => {
                self.csv_lines([self.columns.iter().map(|name| (*name).to_owned()).collect()])
            }
            Format::Csv => Vec::new(),
            Format::Xml => {
                let name = self.names.0;
                format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<{name}>\n").into_bytes()
            }
        }
    }

    /// Rows; `first` says whether the table's first is among them.
    pub(crate) fn rows(&self, rows: &[Vec<Cell>], first: bool) -> Vec<u8> {
        match self.format {
            Format::Json => {
                let mut bytes = Vec::new();
                for (index, row) in rows.iter().enumerate() {
                    if index > 0 || !first {
                        bytes.push(b',');
                    }
                    let object = Value::Object(self.object(row));
                    bytes.extend_from_slice(object.to_string().as_bytes());
                }
                bytes
            }
            Format::Csv => {
                self.csv_lines(rows.iter().map(|row| row.iter().map(Cell::to_text).collect()))
            }
            Format::Xml => self.xml_rows(rows).expect("writing to memory does not fail"),
        }
    }

    /// What stands after the last row.
    pub(crate) fn end(&self) -> Vec<u8> {
        match self.format {
            Format::Json => b"]".to_vec(),
            Format::Csv => Vec::new(),
            Format::Xml => format!("</{}>\n", self.names.0).into_bytes(),
        }
    }

    /// A row as a JSON object.
    pub(crate) fn object(&self, row: &[Cell]) -> Object {
        let names = self.columns.iter().map(|name| (*name).to_owned());
        names.zip(row.iter().map(Cell::to_json)).collect()
    }

    fn csv_lines(&self, lines: impl IntoIterator<Item = Vec<String>>) -> Vec<u8> {
        let CsvStyle { column_separator, crlf, force_quotes, .. } = self.csv;
        let (always, necessary) = (csv::QuoteStyle::Always, csv::QuoteStyle::Necessary);
        let (lf, both) = (csv::Terminator::Any(b'\n'), csv::Terminator::CRLF);
        let mut writer = csv::WriterBuilder::new()
            .delimiter(column_separator)
            .terminator(if crlf { both } else { lf })
            .quote_style(if force_quotes { always } else { necessary })
            .from_writer(Vec::new());
        for line in lines {
            writer.write_record(&line).expect("writing to memory does not fail");
        }
        writer.into_inner().expect("writing to memory does not fail")
    }

    fn xml_rows(&self, rows: &[Vec<Cell>]) -> io::Result<Vec<u8>> {
        let mut writer = Writer::new(Vec::new());
        for row in rows {
            let element = writer.create_element(self.names.1);
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
    // What XML 1.0 has no way to write is left out; a parser would make a bare CR an LF.
    let holds = |c: &char| !matches!(c, '\0'..='\u{8}' | '\u{b}' | '\u{c}' | '\u{e}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}');
    let text: String = text.chars().filter(holds).collect();
    let escaped = partial_escape(text.as_str()).replace('\r', "&#13;");
    element.write_text_content(BytesText::from_escaped(escaped))?;
    Ok(())
}

struct Cursor<F> {
    incoming: Incoming,
    table: Table,
    fetch: F,
    next: Vec<u8>,
    after: i64,
    left: u32,
    more: bool,
    first: bool,
}

impl Incoming {
    /// Answers with a table of at most `limit` rows whose ids come after `after`. `fetch` reads one
    /// page; the first is read before anything is answered, so that a table that isn't there is a
    /// refusal.
    pub(crate) fn reply_table<F>(
        self,
        table: Table,
        (after, limit): (i64, u32),
        fetch: F,
    ) -> Response<Body>
    where
        F: Fn(&mut Session<'_>, &Context, Page) -> Result<Rows, Error> + Send + 'static,
    {
        let kind = table.content_type();
        let next = table.start();
        let incoming = self;
        let mut cursor =
            Cursor { incoming, table, fetch, next, after, left: limit, more: true, first: true };
        if let Err(error) = cursor.read() {
            return Refusal::Refused(error).response(&cursor.incoming.app, |_| ());
        }
        let body = stream::try_unfold(Some(cursor), |cursor| async move {
            let Some(mut cursor) = cursor else { return Ok(None) };
            let mut bytes = std::mem::take(&mut cursor.next);
            if cursor.more {
                cursor.read()?;
                return Ok::<_, Error>(Some((Bytes::from(bytes), Some(cursor))));
            }
            bytes.extend(cursor.table.end());
            Ok(Some((Bytes::from(bytes), None)))
        });
        let mut response = Response::new(Body::from_stream(body));
        response.headers_mut().insert(header::CONTENT_TYPE, kind);
        response
    }
}

impl<F> Cursor<F>
where
    F: Fn(&mut Session<'_>, &Context, Page) -> Result<Rows, Error>,
{
    /// Reads the next page and adds its bytes to what goes out next.
    fn read(&mut self) -> Result<(), Error> {
        let page = Page::of(self.after, self.left.min(PAGE));
        let Incoming { app, context, proof, .. } = &self.incoming;
        let Rows { rows, last } = app.store.read(|session| {
            proof.confirm(session)?;
            (self.fetch)(session, context, page)
        })?;
        self.next.extend(self.table.rows(&rows, self.first));
        self.first &= rows.is_empty();
        self.left -= page.limit;
        self.more = last.is_some() && self.left > 0;
        self.after = last.unwrap_or(self.after);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(format: Format) -> Table {
        let names = ("transactions", "transaction");
        Table { format, csv: CsvStyle::default(), columns: vec!["a", "b", "c"], names }
    }

    fn whole(table: &Table, rows: &[Vec<Cell>]) -> String {
        let bytes = [table.start(), table.rows(rows, true), table.end()].concat();
        String::from_utf8(bytes).unwrap()
    }

    fn rows() -> Vec<Vec<Cell>> {
        let text = |text: &str| Cell::Text(text.to_owned());
        let pair = ("channel".to_owned(), "TV & \"Radio\"".to_owned());
        vec![
            vec![text("plain"), Cell::Whole(Some(7)), Cell::Pairs(Vec::new())],
            vec![text("a,\"b\"\r\n<c>\u{1}"), Cell::Whole(None), Cell::Pairs(vec![pair])],
        ]
    }

    #[test]
    fn json_is_an_array_of_objects() {
        assert_eq!(whole(&table(Format::Json), &[]), "[]");
        assert_eq!(
            whole(&table(Format::Json), &rows()),
            r#"[{"a":"plain","b":7,"c":[]},{"a":"a,\"b\"\r\n<c>\u0001","b":null,"c":[{"name":"channel","value":"TV & \"Radio\""}]}]"#
        );
    }

    #[test]
    fn csv_quotes_what_needs_it_or_everything() {
        let mut table = table(Format::Csv);
        assert_eq!(whole(&table, &[]), "a,b,c\n");
        assert_eq!(
            whole(&table, &rows()),
            "a,b,c\nplain,7,\n\"a,\"\"b\"\"\r\n<c>\u{1}\",,\"[{\"\"name\"\":\"\"channel\"\",\"\"value\"\":\"\"TV & \\\"\"Radio\\\"\"\"\"}]\"\n"
        );
        table.csv =
            CsvStyle { column_separator: b'|', crlf: true, header: false, force_quotes: true };
        assert_eq!(whole(&table, &rows()[..1]), "\"plain\"|\"7\"|\"\"\r\n");
        assert_eq!(whole(&table, &[]), "");
    }

    #[test]
    fn csv_reads_back_as_it_was() {
        let bytes = whole(&table(Format::Csv), &rows());
        let mut reader = csv::Reader::from_reader(bytes.as_bytes());
        let read: Vec<String> =
            reader.records().map(|record| record.unwrap()[0].to_owned()).collect();
        assert_eq!(read, ["plain", "a,\"b\"\r\n<c>\u{1}"]);
    }

    #[test]
    fn xml_escapes_and_leaves_out_what_it_cannot_hold() {
        assert_eq!(
            whole(&table(Format::Xml), &rows()),
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<transactions>\n\
             <transaction><a>plain</a><b>7</b><c></c></transaction>\n\
             <transaction><a>a,\"b\"&#13;\n&lt;c&gt;</a><b/><c><custom_datum>\
             <name>channel</name><value>TV &amp; \"Radio\"</value></custom_datum></c></transaction>\n\
             </transactions>\n"
        );
    }
}
