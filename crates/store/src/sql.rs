//! What the operations need of a database, whichever it is: values in, rows out.
//!
//! Statements are written once, in SQL that every backend reads (parameters are `?1`, `?2`, …);
//! where one needs words of its own, the operation asks [`super::Session`] which one it talks to.

use crate::Error;
use bytes::BytesMut;
use std::borrow::Cow;
use tokio_postgres::types::{IsNull, Type};

/// A value on its way into a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Param<'a> {
    Null,
    Integer(i64),
    Text(&'a str),
    Bytes(&'a [u8]),
}

/// A value that is kept until its statement is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Owned {
    Null,
    Integer(i64),
    Text(String),
    Bytes(Vec<u8>),
}

impl Owned {
    pub(crate) fn of(param: Param<'_>) -> Self {
        match param {
            Param::Null => Self::Null,
            Param::Integer(number) => Self::Integer(number),
            Param::Text(text) => Self::Text(text.to_owned()),
            Param::Bytes(bytes) => Self::Bytes(bytes.to_owned()),
        }
    }
}

impl Value for Owned {
    fn param(&self) -> Param<'_> {
        match self {
            Self::Null => Param::Null,
            Self::Integer(number) => Param::Integer(*number),
            Self::Text(text) => Param::Text(text),
            Self::Bytes(bytes) => Param::Bytes(bytes),
        }
    }
}

/// What can be a parameter.
pub(crate) trait Value {
    fn param(&self) -> Param<'_>;
}

/// Values for a statement's parameters: `params![network, id]`.
macro_rules! params {
    ($($value:expr),* $(,)?) => {
        [$(&$value as &dyn crate::sql::Value),*]
    };
}
pub(crate) use params;

impl<T: Value + ?Sized> Value for &T {
    fn param(&self) -> Param<'_> {
        (**self).param()
    }
}

impl<T: Value> Value for Option<T> {
    fn param(&self) -> Param<'_> {
        self.as_ref().map_or(Param::Null, Value::param)
    }
}

impl Value for i64 {
    fn param(&self) -> Param<'_> {
        Param::Integer(*self)
    }
}

impl Value for u32 {
    fn param(&self) -> Param<'_> {
        Param::Integer(i64::from(*self))
    }
}

impl Value for u16 {
    fn param(&self) -> Param<'_> {
        Param::Integer(i64::from(*self))
    }
}

impl Value for bool {
    fn param(&self) -> Param<'_> {
        Param::Integer(i64::from(*self))
    }
}

impl Value for str {
    fn param(&self) -> Param<'_> {
        Param::Text(self)
    }
}

impl Value for String {
    fn param(&self) -> Param<'_> {
        Param::Text(self)
    }
}

impl Value for Cow<'_, str> {
    fn param(&self) -> Param<'_> {
        Param::Text(self)
    }
}

impl Value for [u8] {
    fn param(&self) -> Param<'_> {
        Param::Bytes(self)
    }
}

impl Value for Vec<u8> {
    fn param(&self) -> Param<'_> {
        Param::Bytes(self)
    }
}

/// A value on its way out of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cell<'a> {
    Null,
    Integer(i64),
    Text(&'a str),
    Bytes(&'a [u8]),
}

/// What a column can be read as.
pub(crate) trait Column<'a>: Sized {
    fn read(cell: Cell<'a>) -> Option<Self>;
}

impl<'a, T: Column<'a>> Column<'a> for Option<T> {
    fn read(cell: Cell<'a>) -> Option<Self> {
        match cell {
            Cell::Null => Some(None),
            cell => T::read(cell).map(Some),
        }
    }
}

impl<'a> Column<'a> for Cell<'a> {
    fn read(cell: Self) -> Option<Self> {
        Some(cell)
    }
}

impl Column<'_> for i64 {
    fn read(cell: Cell<'_>) -> Option<Self> {
        match cell {
            Cell::Integer(number) => Some(number),
            _ => None,
        }
    }
}

impl Column<'_> for u32 {
    fn read(cell: Cell<'_>) -> Option<Self> {
        i64::read(cell).and_then(|number| Self::try_from(number).ok())
    }
}

impl Column<'_> for u16 {
    fn read(cell: Cell<'_>) -> Option<Self> {
        i64::read(cell).and_then(|number| Self::try_from(number).ok())
    }
}

impl Column<'_> for bool {
    fn read(cell: Cell<'_>) -> Option<Self> {
        i64::read(cell).map(|number| number != 0)
    }
}

impl<'a> Column<'a> for &'a str {
    fn read(cell: Cell<'a>) -> Option<Self> {
        match cell {
            Cell::Text(text) => Some(text),
            _ => None,
        }
    }
}

impl Column<'_> for String {
    fn read(cell: Cell<'_>) -> Option<Self> {
        match cell {
            Cell::Text(text) => Some(text.to_owned()),
            _ => None,
        }
    }
}

impl Column<'_> for Vec<u8> {
    fn read(cell: Cell<'_>) -> Option<Self> {
        match cell {
            Cell::Bytes(bytes) => Some(bytes.to_owned()),
            _ => None,
        }
    }
}

/// A row of an answer.
pub(crate) struct Row<'a> {
    of: Of<'a>,
    /// Columns in front that the statement itself does not know of.
    before: usize,
}

enum Of<'a> {
    Sqlite(&'a rusqlite::Row<'a>),
    Postgres(&'a tokio_postgres::Row),
}

impl<'a> Row<'a> {
    /// A column, by its place in the statement from 0.
    pub(crate) fn get<T: Column<'a>>(&self, index: usize) -> Result<T, Error> {
        self.at(self.before + index)
    }

    fn at<T: Column<'a>>(&self, place: usize) -> Result<T, Error> {
        T::read(self.cell(place)?).ok_or_else(unreadable)
    }

    fn cell(&self, place: usize) -> Result<Cell<'a>, Error> {
        match self.of {
            Of::Sqlite(row) => cell(row.get_ref(place)?),
            Of::Postgres(row) => Ok(row.try_get(place)?),
        }
    }

    /// Bytes of its texts, together.
    pub(crate) fn bytes(&self) -> Result<usize, Error> {
        let columns = match self.of {
            Of::Sqlite(row) => row.as_ref().column_count(),
            Of::Postgres(row) => row.len(),
        };
        let mut bytes = 0;
        for place in 0..columns {
            bytes += match self.cell(place)? {
                Cell::Text(text) => text.len(),
                Cell::Bytes(all) => all.len(),
                Cell::Null | Cell::Integer(_) => 0,
            };
        }
        Ok(bytes)
    }

    pub(crate) fn of_sqlite(row: &'a rusqlite::Row<'a>) -> Self {
        Self { of: Of::Sqlite(row), before: 0 }
    }

    pub(crate) fn of_postgres(row: &'a tokio_postgres::Row) -> Self {
        Self { of: Of::Postgres(row), before: 0 }
    }

    /// The same row without its first column, and that.
    pub(crate) fn split(self) -> Result<(i64, Self), Error> {
        let first = self.at(self.before)?;
        Ok((first, Self { before: self.before + 1, ..self }))
    }
}

fn cell(value: rusqlite::types::ValueRef<'_>) -> Result<Cell<'_>, Error> {
    use rusqlite::types::ValueRef;
    Ok(match value {
        ValueRef::Null => Cell::Null,
        ValueRef::Integer(number) => Cell::Integer(number),
        ValueRef::Text(text) => Cell::Text(std::str::from_utf8(text).map_err(|_| unreadable())?),
        ValueRef::Blob(bytes) => Cell::Bytes(bytes),
        ValueRef::Real(_) => return Err(unreadable()),
    })
}

impl<'a> tokio_postgres::types::FromSql<'a> for Cell<'a> {
    fn from_sql(
        of: &Type,
        raw: &'a [u8],
    ) -> Result<Self, Box<dyn std::error::Error + Sync + Send>> {
        Ok(match *of {
            Type::INT8 => Self::Integer(i64::from_sql(of, raw)?),
            Type::INT4 => Self::Integer(i32::from_sql(of, raw)?.into()),
            Type::BOOL => Self::Integer(bool::from_sql(of, raw)?.into()),
            Type::BYTEA => Self::Bytes(raw),
            _ => Self::Text(<&str>::from_sql(of, raw)?),
        })
    }

    fn from_sql_null(_: &Type) -> Result<Self, Box<dyn std::error::Error + Sync + Send>> {
        Ok(Self::Null)
    }

    fn accepts(of: &Type) -> bool {
        matches!(*of, Type::INT8 | Type::INT4 | Type::BOOL | Type::BYTEA | Type::TEXT)
    }
}

impl tokio_postgres::types::ToSql for Param<'_> {
    fn to_sql(
        &self,
        of: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        match (self, of) {
            (Self::Null, _) => Ok(IsNull::Yes),
            (Self::Integer(number), &Type::INT4) => i32::try_from(*number)?.to_sql(of, out),
            (Self::Integer(number), _) => number.to_sql(of, out),
            (Self::Text(text), _) => text.to_sql(of, out),
            (Self::Bytes(bytes), _) => bytes.to_sql(of, out),
        }
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    tokio_postgres::types::to_sql_checked!();
}

fn unreadable() -> Error {
    Error::Unreadable { what: "column", source: None }
}

impl rusqlite::ToSql for Param<'_> {
    fn to_sql(&self) -> rusqlite::Result<rusqlite::types::ToSqlOutput<'_>> {
        use rusqlite::types::{ToSqlOutput, ValueRef};
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Null => ValueRef::Null,
            Self::Integer(number) => ValueRef::Integer(*number),
            Self::Text(text) => ValueRef::Text(text.as_bytes()),
            Self::Bytes(bytes) => ValueRef::Blob(bytes),
        }))
    }
}
