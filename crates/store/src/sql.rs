//! Values, rows and columns that are independent of the backend.
//!
//! Statements are written once, in SQL that both backends accept (parameters are `?1`, `?2`, …).
//! Where they differ, the operation asks [`crate::UnitOfWork`] which backend it runs on.

use crate::Error;
use bytes::BytesMut;
use std::borrow::Cow;
use tokio_postgres::types::{IsNull, Type};
use trunkline_domain::id::{
    AdvertiserId, AffiliateCampaignId, AffiliateId, AuditEntryId, CallId, CampaignId,
    CustomDataFieldId, DeliveryId, EmailVerificationId, EventId, MailId, NetworkId, PartyId,
    PromoNumberId, RelationshipId, SessionId, TermsId, TokenId, TransactionId, UserId, WebhookId,
};

/// Parameter of a statement, borrowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Param<'a> {
    Null,
    Integer(i64),
    Text(&'a str),
    Bytes(&'a [u8]),
}

/// Parameter of a statement that is kept until the statement is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum OwnedParam {
    Null,
    Integer(i64),
    Text(String),
    Bytes(Vec<u8>),
}

impl OwnedParam {
    pub(crate) fn new(param: Param<'_>) -> Self {
        match param {
            Param::Null => Self::Null,
            Param::Integer(number) => Self::Integer(number),
            Param::Text(text) => Self::Text(text.to_owned()),
            Param::Bytes(bytes) => Self::Bytes(bytes.to_owned()),
        }
    }
}

impl Value for OwnedParam {
    fn as_param(&self) -> Param<'_> {
        match self {
            Self::Null => Param::Null,
            Self::Integer(number) => Param::Integer(*number),
            Self::Text(text) => Param::Text(text),
            Self::Bytes(bytes) => Param::Bytes(bytes),
        }
    }
}

/// Type that can be a parameter of a statement.
pub(crate) trait Value {
    fn as_param(&self) -> Param<'_>;
}

/// Parameters of a statement: `params![network, id]`.
macro_rules! params {
    ($($value:expr),* $(,)?) => {
        [$(&$value as &dyn crate::sql::Value),*]
    };
}
pub(crate) use params;

impl<T: Value + ?Sized> Value for &T {
    fn as_param(&self) -> Param<'_> {
        (**self).as_param()
    }
}

impl<T: Value> Value for Option<T> {
    fn as_param(&self) -> Param<'_> {
        self.as_ref().map_or(Param::Null, Value::as_param)
    }
}

impl Value for i64 {
    fn as_param(&self) -> Param<'_> {
        Param::Integer(*self)
    }
}

impl Value for u32 {
    fn as_param(&self) -> Param<'_> {
        Param::Integer(i64::from(*self))
    }
}

impl Value for u16 {
    fn as_param(&self) -> Param<'_> {
        Param::Integer(i64::from(*self))
    }
}

impl Value for bool {
    fn as_param(&self) -> Param<'_> {
        Param::Integer(i64::from(*self))
    }
}

impl Value for str {
    fn as_param(&self) -> Param<'_> {
        Param::Text(self)
    }
}

impl Value for String {
    fn as_param(&self) -> Param<'_> {
        Param::Text(self)
    }
}

impl Value for Cow<'_, str> {
    fn as_param(&self) -> Param<'_> {
        Param::Text(self)
    }
}

impl Value for [u8] {
    fn as_param(&self) -> Param<'_> {
        Param::Bytes(self)
    }
}

impl Value for Vec<u8> {
    fn as_param(&self) -> Param<'_> {
        Param::Bytes(self)
    }
}

/// Value of a column in a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cell<'a> {
    Null,
    Integer(i64),
    Text(&'a str),
    Bytes(&'a [u8]),
}

/// Type that a column can be read as.
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

/// Lets ids be parameters and columns, as their numbers.
///
/// A macro, because the identifier types have no trait in common: an implementation for all types
/// of a trait would overlap with those for `i64` and `Option`.
macro_rules! implement_for_ids {
    ($($id:ident),* $(,)?) => {$(
        impl Value for $id {
            fn as_param(&self) -> Param<'_> {
                Param::Integer(self.get())
            }
        }

        impl Column<'_> for $id {
            fn read(cell: Cell<'_>) -> Option<Self> {
                i64::read(cell).map(Self::new)
            }
        }
    )*};
}

implement_for_ids! {
    AdvertiserId, AffiliateCampaignId, AffiliateId, AuditEntryId, CallId, CampaignId,
    CustomDataFieldId, DeliveryId, EmailVerificationId, EventId, MailId, NetworkId, PartyId,
    PromoNumberId, RelationshipId, SessionId, TermsId, TokenId, TransactionId, UserId, WebhookId,
}

/// Row of a result.
#[derive(Clone, Copy)]
pub(crate) struct Row<'a> {
    row: BackendRow<'a>,
    /// Number of leading columns that were added to the statement and are skipped.
    skipped: usize,
}

#[derive(Clone, Copy)]
enum BackendRow<'a> {
    Sqlite(&'a rusqlite::Row<'a>),
    Postgres(&'a tokio_postgres::Row),
}

impl<'a> Row<'a> {
    /// Reads the column at a zero-based position in the statement.
    pub(crate) fn get<T: Column<'a>>(&self, index: usize) -> Result<T, Error> {
        self.get_at(self.skipped + index)
    }

    fn get_at<T: Column<'a>>(&self, position: usize) -> Result<T, Error> {
        T::read(self.cell(position)?).ok_or_else(unreadable_column)
    }

    fn cell(&self, position: usize) -> Result<Cell<'a>, Error> {
        match self.row {
            BackendRow::Sqlite(row) => cell_from_sqlite(row.get_ref(position)?),
            BackendRow::Postgres(row) => Ok(row.try_get(position)?),
        }
    }

    /// Total length of the text and binary columns in bytes.
    pub(crate) fn byte_len(&self) -> Result<usize, Error> {
        let columns = match self.row {
            BackendRow::Sqlite(row) => row.as_ref().column_count(),
            BackendRow::Postgres(row) => row.len(),
        };
        let mut bytes = 0;
        for position in 0..columns {
            bytes += match self.cell(position)? {
                Cell::Text(text) => text.len(),
                Cell::Bytes(all) => all.len(),
                Cell::Null | Cell::Integer(_) => 0,
            };
        }
        Ok(bytes)
    }

    pub(crate) fn from_sqlite(row: &'a rusqlite::Row<'a>) -> Self {
        Self { row: BackendRow::Sqlite(row), skipped: 0 }
    }

    pub(crate) fn from_postgres(row: &'a tokio_postgres::Row) -> Self {
        Self { row: BackendRow::Postgres(row), skipped: 0 }
    }

    /// Returns the row without its first `columns` columns.
    pub(crate) fn skip(&self, columns: usize) -> Self {
        Self { skipped: self.skipped + columns, ..*self }
    }

    /// Splits the first column off the row.
    pub(crate) fn split_first(self) -> Result<(i64, Self), Error> {
        let first = self.get_at(self.skipped)?;
        Ok((first, self.skip(1)))
    }
}

fn cell_from_sqlite(value: rusqlite::types::ValueRef<'_>) -> Result<Cell<'_>, Error> {
    use rusqlite::types::ValueRef;
    Ok(match value {
        ValueRef::Null => Cell::Null,
        ValueRef::Integer(number) => Cell::Integer(number),
        ValueRef::Text(text) => {
            Cell::Text(std::str::from_utf8(text).map_err(|_| unreadable_column())?)
        }
        ValueRef::Blob(bytes) => Cell::Bytes(bytes),
        ValueRef::Real(_) => return Err(unreadable_column()),
    })
}

impl<'a> tokio_postgres::types::FromSql<'a> for Cell<'a> {
    fn from_sql(
        ty: &Type,
        raw: &'a [u8],
    ) -> Result<Self, Box<dyn std::error::Error + Sync + Send>> {
        Ok(match *ty {
            Type::INT8 => Self::Integer(i64::from_sql(ty, raw)?),
            Type::INT4 => Self::Integer(i32::from_sql(ty, raw)?.into()),
            Type::BOOL => Self::Integer(bool::from_sql(ty, raw)?.into()),
            Type::BYTEA => Self::Bytes(raw),
            _ => Self::Text(<&str>::from_sql(ty, raw)?),
        })
    }

    fn from_sql_null(_: &Type) -> Result<Self, Box<dyn std::error::Error + Sync + Send>> {
        Ok(Self::Null)
    }

    fn accepts(ty: &Type) -> bool {
        matches!(*ty, Type::INT8 | Type::INT4 | Type::BOOL | Type::BYTEA | Type::TEXT)
    }
}

impl tokio_postgres::types::ToSql for Param<'_> {
    fn to_sql(
        &self,
        ty: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        match (self, ty) {
            (Self::Null, _) => Ok(IsNull::Yes),
            (Self::Integer(number), &Type::INT4) => i32::try_from(*number)?.to_sql(ty, out),
            (Self::Integer(number), _) => number.to_sql(ty, out),
            (Self::Text(text), _) => text.to_sql(ty, out),
            (Self::Bytes(bytes), _) => bytes.to_sql(ty, out),
        }
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    tokio_postgres::types::to_sql_checked!();
}

fn unreadable_column() -> Error {
    Error::Unreadable { value: "column", source: None }
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
