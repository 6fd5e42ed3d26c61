//! What the path of a request names, link after link, in one statement.

use super::affiliations::{AFFILIATE_CAMPAIGN_COLUMNS, affiliate_campaign, relationship};
use super::budgets::TotalsNow;
use super::campaigns::{CAMPAIGN_COLUMNS, campaign};
use super::promo_numbers::{PROMO_NUMBER_COLUMNS, promo_number};
use super::{Session, millis, parsed, to_ids};
use crate::Error;
use crate::sql::{Row, Value};
use jiff::Timestamp;
use trunkline_domain::affiliation::{AffiliateCampaign, Relationship};
use trunkline_domain::campaign::Campaign;
use trunkline_domain::party::{PartyKind, PartyStatus};
use trunkline_domain::phone::PhoneNumber;
use trunkline_domain::promo::PromoNumber;

/// What a path names, by the network's ids.
#[derive(Debug, Clone, Copy)]
pub struct Chain<'a> {
    /// The network, ours.
    pub network: i64,
    /// The advertiser.
    pub advertiser: &'a str,
    /// A campaign, whoever's it is.
    pub campaign: Option<&'a str>,
    /// An affiliate: with its place in the campaign, where one is named, else with its relationship
    /// to the advertiser.
    pub affiliate: Option<&'a str>,
    /// A promo number, whoever's it is.
    pub promo_number: Option<Numbered<'a>>,
    /// Affiliates (ours) whose ties to the campaign are asked for.
    pub ties_of: &'a [i64],
    /// When what the campaign's budgets have come to is asked for.
    pub totals_at: Option<Timestamp>,
}

impl<'a> Chain<'a> {
    /// The path of an advertiser.
    pub fn of_advertiser(network: i64, advertiser: &'a str) -> Self {
        Self {
            network,
            advertiser,
            campaign: None,
            affiliate: None,
            promo_number: None,
            ties_of: &[],
            totals_at: None,
        }
    }

    /// The path of a campaign.
    pub fn of_campaign(network: i64, advertiser: &'a str, campaign: &'a str) -> Self {
        Self { campaign: Some(campaign), ..Self::of_advertiser(network, advertiser) }
    }
}

/// Which promo number.
#[derive(Debug, Clone, Copy)]
pub enum Numbered<'a> {
    /// By the number itself.
    Number(&'a PhoneNumber),
    /// By the network's id for it.
    Id(&'a str),
}

/// An affiliate, as far as a path needs it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LinkedAffiliate {
    /// Ours.
    pub id: i64,
    /// Whether the network works with it.
    pub status: PartyStatus,
}

/// What a path leads to. Each link is there when it is stored, whether or not it belongs to the one
/// before it; what was not asked for is not.
#[derive(Debug, Default)]
pub struct Links {
    /// The advertiser, ours.
    pub advertiser: Option<i64>,
    /// The campaign.
    pub campaign: Option<Campaign>,
    /// What its budgets have come to.
    pub totals: Option<TotalsNow>,
    /// The affiliate.
    pub affiliate: Option<LinkedAffiliate>,
    /// The affiliate's place in the campaign.
    pub affiliate_campaign: Option<AffiliateCampaign>,
    /// The relationship of advertiser and affiliate.
    pub relationship: Option<Relationship>,
    /// The promo number.
    pub promo_number: Option<PromoNumber>,
    /// Whether the campaign's advertiser has approved one of the affiliates asked for.
    pub is_related: bool,
    /// Whether one of them has a place in the campaign.
    pub has_place: bool,
}

/// A statement as it comes together. It has one row, whatever is there.
struct Asking<'a> {
    columns: String,
    joins: String,
    values: Vec<Box<dyn Value + 'a>>,
}

impl<'a> Asking<'a> {
    /// A parameter's name.
    fn value(&mut self, value: impl Value + 'a) -> String {
        self.values.push(Box::new(value));
        format!("?{}", self.values.len())
    }

    fn ask(&mut self, columns: &str, joins: &str) {
        self.columns.push_str(", ");
        self.columns.push_str(columns);
        self.joins.push_str(joins);
    }

    fn campaign(&mut self, session: &Session<'_>, chain: &Chain<'a>) -> Result<(), Error> {
        let Some(id) = chain.campaign else { return Ok(()) };
        let id = self.value(id);
        self.ask(
            CAMPAIGN_COLUMNS,
            &format!(
                " LEFT JOIN campaigns c ON c.network_id = ?1 AND c.id_from_network = {id}
                 LEFT JOIN terms t ON t.id = c.current_terms_id"
            ),
        );
        if let Some(now) = chain.totals_at {
            let now = self.value(millis(now));
            self.ask(&TotalsNow::columns("c.id", &now), "");
        }
        if !chain.ties_of.is_empty() {
            let ids = self.value(to_ids(chain.ties_of)?);
            let ids = session.ids_in(&ids);
            self.ask(
                &format!(
                    "EXISTS (SELECT 1 FROM relationships WHERE advertiser_id = c.advertiser_id
                     AND status = 'Approved' AND affiliate_id IN {ids}),
                     EXISTS (SELECT 1 FROM affiliate_campaigns WHERE campaign_id = c.id
                     AND affiliate_id IN {ids})"
                ),
                "",
            );
        }
        Ok(())
    }

    fn affiliate(&mut self, chain: &Chain<'a>) {
        let Some(id) = chain.affiliate else { return };
        let (kind, id) = (self.value(PartyKind::Affiliate.word()), self.value(id));
        self.ask(
            "p.id, p.status",
            &format!(
                " LEFT JOIN parties p ON p.network_id = ?1 AND p.kind = {kind}
                 AND p.id_from_network = {id}"
            ),
        );
        match chain.campaign {
            Some(_) => self.ask(
                AFFILIATE_CAMPAIGN_COLUMNS,
                " LEFT JOIN affiliate_campaigns a ON a.campaign_id = c.id AND a.affiliate_id = p.id",
            ),
            None => self.ask(
                "r.affiliate_id, p.id_from_network, r.status",
                " LEFT JOIN relationships r ON r.advertiser_id = o.id AND r.affiliate_id = p.id",
            ),
        }
    }

    fn promo_number(&mut self, chain: &Chain<'a>) {
        let (column, value) = match chain.promo_number {
            Some(Numbered::Number(number)) => ("number", self.value(number.e164())),
            Some(Numbered::Id(id)) => ("id_from_network", self.value(id)),
            None => return,
        };
        let join =
            format!(" LEFT JOIN promo_numbers n ON n.network_id = ?1 AND n.{column} = {value}");
        self.ask(PROMO_NUMBER_COLUMNS, &join);
    }
}

/// Reads a row's columns from left to right.
struct Reading<'a>(Row<'a>);

impl Reading<'_> {
    /// What `read` makes of the next columns, so many, when the first of them is not null.
    fn next<T>(
        &mut self,
        columns: usize,
        read: impl FnOnce(&Row<'_>) -> Result<T, Error>,
    ) -> Result<Option<T>, Error> {
        let there = self.0.get::<Option<i64>>(0)?.is_some();
        let found = if there { Some(read(&self.0)?) } else { None };
        self.0 = self.0.beyond(columns);
        Ok(found)
    }
}

fn columns(list: &str) -> usize {
    list.split(',').count()
}

fn links(row: &Row<'_>, chain: &Chain<'_>) -> Result<Links, Error> {
    let mut links = Links::default();
    let mut row = Reading(row.beyond(0));
    let id = |row: &Row<'_>| row.get::<i64>(0);
    links.advertiser = row.next(1, id)?;
    if chain.campaign.is_some() {
        links.campaign = row.next(columns(CAMPAIGN_COLUMNS), campaign)?;
        if chain.totals_at.is_some() {
            links.totals = row.next(TotalsNow::COLUMNS, TotalsNow::read)?;
        }
        if !chain.ties_of.is_empty() {
            links.is_related = row.0.get(0)?;
            links.has_place = row.0.get(1)?;
            row.0 = row.0.beyond(2);
        }
    }
    if chain.affiliate.is_some() {
        links.affiliate = row.next(2, |row| {
            let status = parsed(PartyStatus::parse(row.get(1)?), "party status")?;
            Ok(LinkedAffiliate { id: row.get(0)?, status })
        })?;
        match chain.campaign {
            Some(_) => {
                links.affiliate_campaign =
                    row.next(columns(AFFILIATE_CAMPAIGN_COLUMNS), affiliate_campaign)?;
            }
            None => links.relationship = row.next(3, relationship)?,
        }
    }
    if chain.promo_number.is_some() {
        links.promo_number = row.next(columns(PROMO_NUMBER_COLUMNS), promo_number)?;
    }
    Ok(links)
}

impl Session<'_> {
    /// Everything that a path leads to.
    pub fn links(&mut self, chain: &Chain<'_>) -> Result<Links, Error> {
        let mut asking =
            Asking { columns: String::new(), joins: String::new(), values: Vec::new() };
        // Kinds are values, not words of the statement: from those PostgreSQL would guess how many there
        // are, and look through all advertisers where its statistics know of few.
        let network = asking.value(chain.network);
        let kind = asking.value(PartyKind::Advertiser.word());
        let advertiser = asking.value(chain.advertiser);
        asking.joins = format!(
            " FROM (SELECT 1 AS one) AS whole
             LEFT JOIN parties o ON o.network_id = {network} AND o.kind = {kind}
             AND o.id_from_network = {advertiser}"
        );
        asking.campaign(self, chain)?;
        asking.affiliate(chain);
        asking.promo_number(chain);
        let sql = format!("SELECT o.id{}{}", asking.columns, asking.joins);
        let values: Vec<&dyn Value> = asking.values.iter().map(|value| &**value).collect();
        let found = self.first(&sql, values.as_slice(), |row| links(row, chain))?;
        parsed(found, "links")
    }
}
