//! A connection and its prepared statements.

use crate::Error;
use crate::sql::Param;
use postgres::{Client, Config, CopyInWriter, NoTls, RowIter, Statement};
use std::collections::HashMap;
use std::fmt;
use std::time::Duration;

/// How long a server may take to be reached, so that a request that meets none is refused in time.
const CONNECT: Duration = Duration::from_millis(1_500);
/// How long a statement may take, and wait for a lock.
const STATEMENT: &str = "-c statement_timeout=30000 -c lock_timeout=5000 -c timezone=UTC -c client_min_messages=warning";
/// How long what was sent may stay unacknowledged before a connection counts as lost.
const UNACKNOWLEDGED: Duration = Duration::from_millis(1_500);

/// An open connection.
pub(crate) struct Pg {
    client: Client,
    statements: HashMap<String, Statement>,
}

impl fmt::Debug for Pg {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pg").field("statements", &self.statements.len()).finish_non_exhaustive()
    }
}

/// Reads a URL (`postgres://user:password@host:port/name`), and adds our limits.
pub(super) fn configure(url: &str) -> Result<Config, postgres::Error> {
    let mut config: Config = url.parse()?;
    config
        .application_name("trunkline")
        .connect_timeout(CONNECT)
        .tcp_user_timeout(UNACKNOWLEDGED)
        .keepalives_idle(Duration::from_secs(5))
        .keepalives_interval(Duration::from_secs(1))
        .keepalives_retries(3)
        .options(STATEMENT);
    Ok(config)
}

/// A URL as it may be shown.
pub(crate) fn without_password(url: &str) -> String {
    match (url.find("://"), url.find('@')) {
        (Some(scheme), Some(at)) if scheme < at => {
            let user = url[scheme + 3..at].split(':').next().unwrap_or_default();
            format!("{}{user}{}", &url[..scheme + 3], &url[at..])
        }
        _ => url.to_owned(),
    }
}

/// An error with its causes, in a line.
pub(super) fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

impl Pg {
    pub(super) fn connect(config: &Config) -> Result<Self, Error> {
        Ok(Self { client: config.connect(NoTls)?, statements: HashMap::new() })
    }

    pub(super) fn is_lost(&self) -> bool {
        self.client.is_closed()
    }

    /// Runs statements that answer nothing.
    pub(crate) fn run(&mut self, sql: &str) -> Result<(), Error> {
        Ok(self.client.batch_execute(sql)?)
    }

    fn statement(&mut self, sql: &str) -> Result<Statement, Error> {
        if let Some(known) = self.statements.get(sql) {
            return Ok(known.clone());
        }
        let statement = self.client.prepare(&sql.replace('?', "$"))?;
        self.statements.insert(sql.to_owned(), statement.clone());
        Ok(statement)
    }

    /// Runs a statement; how many rows it changed.
    pub(crate) fn execute(&mut self, sql: &str, values: Vec<Param<'_>>) -> Result<u64, Error> {
        let statement = self.statement(sql)?;
        let mut rows = self.client.query_raw(&statement, values)?;
        use postgres::fallible_iterator::FallibleIterator;
        while rows.next()?.is_some() {}
        Ok(rows.rows_affected().unwrap_or(0))
    }

    /// Begins a `COPY … FROM STDIN`.
    pub(crate) fn copy_in(&mut self, sql: &str) -> Result<CopyInWriter<'_>, Error> {
        Ok(self.client.copy_in(sql)?)
    }

    /// Runs a query; its rows come as they are taken.
    pub(crate) fn query(
        &mut self,
        sql: &str,
        values: Vec<Param<'_>>,
    ) -> Result<RowIter<'_>, Error> {
        let statement = self.statement(sql)?;
        Ok(self.client.query_raw(&statement, values)?)
    }
}

#[cfg(test)]
mod tests {
    use super::without_password;

    #[test]
    fn passwords_are_not_shown() {
        for (url, shown) in [
            ("postgres://trunk:secret@db:5432/line", "postgres://trunk@db:5432/line"),
            ("postgres://trunk@db/line", "postgres://trunk@db/line"),
            ("postgres://db/line", "postgres://db/line"),
        ] {
            assert_eq!(without_password(url), shown);
        }
    }
}
