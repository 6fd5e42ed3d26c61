//! Settings of `trunkline serve` for outgoing webhooks and mail.

use crate::cli_error::CliError;
use crate::config::{ConfigFile, non_empty};
use crate::outbox::{self, Mailer, MailerSettings};
use clap::builder::FalseyValueParser;
use std::path::PathBuf;
use std::time::Duration;

/// Flags for outgoing webhooks and mail.
#[derive(Debug, clap::Args)]
pub(super) struct OutgoingArgs {
    /// Allow webhooks to addresses inside this machine's own network
    #[arg(
        long,
        value_name = "true|false",
        env = "TRUNKLINE_WEBHOOK_ALLOW_PRIVATE",
        hide_env_values = true,
        num_args = 0..=1,
        default_missing_value = "true",
        value_parser = FalseyValueParser::new()
    )]
    webhook_allow_private: Option<bool>,
    /// Additional certificate authorities to trust, for webhooks and the mail server (PEM)
    #[arg(long, value_name = "FILE", env = "TRUNKLINE_OUTGOING_CA", hide_env_values = true)]
    outgoing_ca: Option<PathBuf>,
    /// Mail server: `smtp://`, `starttls://` or `smtps://`, then `[user:password@]host[:port]`
    /// [default: no mail is sent]
    #[arg(long, value_name = "URL", env = "TRUNKLINE_SMTP_URL", hide_env_values = true)]
    smtp_url: Option<String>,
    /// Sender of mail: an address, or 'Name <address>'
    #[arg(long, value_name = "SENDER", env = "TRUNKLINE_MAIL_FROM", hide_env_values = true)]
    mail_from: Option<String>,
    /// Milliseconds before the first retry; later delays are multiples of it
    #[arg(long, value_name = "MS", hide = true, value_parser = clap::value_parser!(u64).range(1..=3_600_000))]
    sending_first_wait: Option<u64>,
    /// Timeout of a webhook request, in milliseconds
    #[arg(long, value_name = "MS", hide = true, value_parser = clap::value_parser!(u64).range(1..=60_000))]
    sending_time: Option<u64>,
}

/// Merged settings for outgoing webhooks and mail.
pub(super) struct OutgoingSettings {
    /// True if webhooks may reach addresses of the host's own network.
    pub(super) private_webhooks: bool,
    /// Settings of the outbox workers.
    pub(super) outbox: outbox::Settings,
}

impl OutgoingSettings {
    /// Merges flags and environment with the configuration file.
    pub(super) fn merge(args: OutgoingArgs, file: &mut ConfigFile) -> Result<Self, CliError> {
        let ca_file = args.outgoing_ca.filter(|path| !path.as_os_str().is_empty());
        let ca_file = ca_file.or(file.outgoing_ca.take());
        let mailer = MailerSettings {
            url: non_empty(args.smtp_url).or(file.smtp_url.take()),
            from: non_empty(args.mail_from).or(file.mail_from.take()),
            ca_file: ca_file.clone(),
        };
        let millis = |value: Option<u64>, default| value.map_or(default, Duration::from_millis);
        Ok(Self {
            private_webhooks: args
                .webhook_allow_private
                .or(file.webhook_allow_private)
                .unwrap_or(false),
            outbox: outbox::Settings {
                first_retry_delay: millis(
                    args.sending_first_wait,
                    outbox::Settings::FIRST_RETRY_DELAY,
                ),
                timeout: millis(args.sending_time, outbox::Settings::TIMEOUT),
                roots: outbox::root_certificates(ca_file.as_deref())?,
                mailer: Mailer::new(mailer).map_err(CliError::Usage)?,
            },
        })
    }
}
