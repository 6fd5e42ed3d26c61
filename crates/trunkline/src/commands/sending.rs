//! What `trunkline serve` is told of what it sends by itself: webhooks and mail.

use crate::config::{File, said};
use crate::failure::Failure;
use crate::outbox::{self, Mailer, MailerSettings};
use clap::builder::FalseyValueParser;
use std::path::PathBuf;
use std::time::Duration;

/// Flags of sending.
#[derive(Debug, clap::Args)]
pub(super) struct SendingArgs {
    /// Let webhooks lead into this machine's own network
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
    /// More certificates to trust when sending to webhooks and to the mail server (PEM)
    #[arg(long, value_name = "FILE", env = "TRUNKLINE_OUTGOING_CA", hide_env_values = true)]
    outgoing_ca: Option<PathBuf>,
    /// The mail server: smtp://, starttls:// or smtps://, [user:password@]host[:port] [default: no mail is sent]
    #[arg(long, value_name = "URL", env = "TRUNKLINE_SMTP_URL", hide_env_values = true)]
    smtp_url: Option<String>,
    /// Whom mail is from: an address, or 'Name <address>'
    #[arg(long, value_name = "SENDER", env = "TRUNKLINE_MAIL_FROM", hide_env_values = true)]
    mail_from: Option<String>,
    /// Milliseconds until a first attempt is repeated; later waits are multiples of it
    #[arg(long, value_name = "MS", hide = true, value_parser = clap::value_parser!(u64).range(1..=3_600_000))]
    sending_first_wait: Option<u64>,
    /// Milliseconds that a webhook's receiver may take
    #[arg(long, value_name = "MS", hide = true, value_parser = clap::value_parser!(u64).range(1..=60_000))]
    sending_time: Option<u64>,
}

/// What sending goes by, after all.
pub(super) struct Sending {
    /// Whether webhooks may lead into the host's own network.
    pub(super) private_webhooks: bool,
    /// The rest.
    pub(super) outbox: outbox::Settings,
}

impl Sending {
    /// Flags and environment over the file.
    pub(super) fn merge(args: SendingArgs, file: &mut File) -> Result<Self, Failure> {
        let trust = args.outgoing_ca.filter(|path| !path.as_os_str().is_empty());
        let trust = trust.or(file.outgoing_ca.take());
        let mailer = MailerSettings {
            url: said(args.smtp_url).or(file.smtp_url.take()),
            from: said(args.mail_from).or(file.mail_from.take()),
            trust: trust.clone(),
        };
        let millis = |said: Option<u64>, usual| said.map_or(usual, Duration::from_millis);
        Ok(Self {
            private_webhooks: args
                .webhook_allow_private
                .or(file.webhook_allow_private)
                .unwrap_or(false),
            outbox: outbox::Settings {
                first_wait: millis(args.sending_first_wait, outbox::Settings::FIRST_WAIT),
                time: millis(args.sending_time, outbox::Settings::TIME),
                trust: outbox::trust(trust.as_deref())?,
                mailer: Mailer::new(mailer).map_err(Failure::Usage)?,
            },
        })
    }
}
