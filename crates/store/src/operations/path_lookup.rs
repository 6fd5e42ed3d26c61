//! Resolves the ids in the path of a request with one statement.

use super::affiliations::{
    AFFILIATE_CAMPAIGN_COLUMNS, RELATIONSHIP_COLUMNS, affiliate_campaign_from_row,
    relationship_from_row,
};
use super::budgets::CurrentTotals;
use super::campaigns::{CAMPAIGN_COLUMNS, campaign_from_row};
use super::promo_numbers::{PROMO_NUMBER_COLUMNS, promo_number_from_row};
use super::{UnitOfWork, or_unreadable, to_json_ids, to_millis};
use crate::Error;
use crate::sql::{Row, Value};
use jiff::Timestamp;
use trunkline_domain::affiliation::{AffiliateCampaign, Relationship};
use trunkline_domain::campaign::Campaign;
use trunkline_domain::id::{AdvertiserId, AffiliateId, NetworkId};
use trunkline_domain::party::{PartyKind, PartyStatus};
use trunkline_domain::phone::PhoneNumber;
use trunkline_domain::promo::PromoNumber;

/// External ids that a path has.
#[derive(Debug, Clone, Copy)]
pub struct PathIds<'a> {
    /// Network, by id.
    pub network_id: NetworkId,
    /// Advertiser.
    pub advertiser: &'a str,
    /// Campaign, of any advertiser.
    pub campaign: Option<&'a str>,
    /// Affiliate. With a campaign, its affiliate campaign is looked up as well; without one, its
    /// relationship to the advertiser.
    pub affiliate: Option<&'a str>,
    /// Promo number, of any campaign.
    pub promo_number: Option<PromoNumberKey<'a>>,
    /// Affiliates, by id, whose relationships and affiliate campaigns are checked.
    pub affiliate_ids: &'a [AffiliateId],
    /// Time at which the totals of the campaign's budgets are read, if they are requested.
    pub totals_at: Option<Timestamp>,
}

impl<'a> PathIds<'a> {
    /// Path of an advertiser.
    pub fn for_advertiser(network_id: NetworkId, advertiser: &'a str) -> Self {
        Self {
            network_id,
            advertiser,
            campaign: None,
            affiliate: None,
            promo_number: None,
            affiliate_ids: &[],
            totals_at: None,
        }
    }

    /// Path of a campaign.
    pub fn for_campaign(network: NetworkId, advertiser: &'a str, campaign: &'a str) -> Self {
        Self { campaign: Some(campaign), ..Self::for_advertiser(network, advertiser) }
    }
}

/// Key of a promo number.
#[derive(Debug, Clone, Copy)]
pub enum PromoNumberKey<'a> {
    /// Phone number.
    Number(&'a PhoneNumber),
    /// External id.
    Id(&'a str),
}

/// The fields of an affiliate that a path needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ResolvedAffiliate {
    /// Id.
    pub id: AffiliateId,
    /// Status of the affiliate.
    pub status: PartyStatus,
}

/// Objects that a path refers to. Every object that exists is returned, even if it does not belong
/// to its parent; the caller decides which 404 to report. Fields that were not requested are
/// `None`.
#[derive(Debug, Default)]
pub struct ResolvedPath {
    /// Id of the advertiser.
    pub advertiser_id: Option<AdvertiserId>,
    /// Campaign.
    pub campaign: Option<Campaign>,
    /// Totals of its budgets.
    pub totals: Option<CurrentTotals>,
    /// Affiliate.
    pub affiliate: Option<ResolvedAffiliate>,
    /// Affiliate campaign of the campaign and the affiliate.
    pub affiliate_campaign: Option<AffiliateCampaign>,
    /// Relationship of the advertiser and the affiliate.
    pub relationship: Option<Relationship>,
    /// Promo number.
    pub promo_number: Option<PromoNumber>,
    /// True if the campaign's advertiser has approved one of the given affiliates.
    pub is_related: bool,
    /// True if one of the given affiliates has an affiliate campaign in the campaign.
    pub has_affiliate_campaign: bool,
}

/// Builder of the statement, which returns one row whether or not the objects exist.
struct QueryBuilder<'a> {
    columns: String,
    joins: String,
    values: Vec<Box<dyn Value + 'a>>,
}

impl<'a> QueryBuilder<'a> {
    /// Adds a parameter and returns its placeholder.
    fn add_param(&mut self, value: impl Value + 'a) -> String {
        self.values.push(Box::new(value));
        format!("?{}", self.values.len())
    }

    fn add(&mut self, columns: &str, joins: &str) {
        self.columns.push_str(", ");
        self.columns.push_str(columns);
        self.joins.push_str(joins);
    }

    fn campaign(&mut self, unit: &UnitOfWork<'_>, path: &PathIds<'a>) -> Result<(), Error> {
        let Some(id) = path.campaign else { return Ok(()) };
        let id = self.add_param(id);
        self.add(
            CAMPAIGN_COLUMNS,
            &format!(
                " LEFT JOIN campaigns c ON c.network_id = ?1 AND c.id_from_network = {id}
                 LEFT JOIN terms t ON t.id = c.current_terms_id"
            ),
        );
        if let Some(now) = path.totals_at {
            let now = self.add_param(to_millis(now));
            self.add(&CurrentTotals::columns("c.id", &now), "");
        }
        if !path.affiliate_ids.is_empty() {
            let ids = self.add_param(to_json_ids(path.affiliate_ids)?);
            let ids = unit.json_ids_sql(&ids);
            self.add(
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

    fn affiliate(&mut self, path: &PathIds<'a>) {
        let Some(id) = path.affiliate else { return };
        let kind = self.add_param(PartyKind::Affiliate.as_str());
        let id = self.add_param(id);
        self.add(
            "p.id, p.status",
            &format!(
                " LEFT JOIN parties p ON p.network_id = ?1 AND p.kind = {kind}
                 AND p.id_from_network = {id}"
            ),
        );
        match path.campaign {
            Some(_) => self.add(
                AFFILIATE_CAMPAIGN_COLUMNS,
                " LEFT JOIN affiliate_campaigns a ON a.campaign_id = c.id AND a.affiliate_id = p.id",
            ),
            None => self.add(
                RELATIONSHIP_COLUMNS,
                " LEFT JOIN relationships r ON r.advertiser_id = o.id AND r.affiliate_id = p.id",
            ),
        }
    }

    fn promo_number(&mut self, path: &PathIds<'a>) {
        let (column, value) = match path.promo_number {
            Some(PromoNumberKey::Number(number)) => ("number", self.add_param(number.e164())),
            Some(PromoNumberKey::Id(id)) => ("id_from_network", self.add_param(id)),
            None => return,
        };
        let join =
            format!(" LEFT JOIN promo_numbers n ON n.network_id = ?1 AND n.{column} = {value}");
        self.add(PROMO_NUMBER_COLUMNS, &join);
    }
}

/// Reads the columns of a row from left to right.
struct RowReader<'a>(Row<'a>);

impl RowReader<'_> {
    /// Reads the next `columns` columns, unless the first of them is null.
    fn read_columns<T>(
        &mut self,
        columns: usize,
        read: impl FnOnce(&Row<'_>) -> Result<T, Error>,
    ) -> Result<Option<T>, Error> {
        let exists = self.0.get::<Option<i64>>(0)?.is_some();
        let found = if exists { Some(read(&self.0)?) } else { None };
        self.0 = self.0.skip(columns);
        Ok(found)
    }
}

fn column_count(list: &str) -> usize {
    list.split(',').count()
}

fn read_path(row: &Row<'_>, path: &PathIds<'_>) -> Result<ResolvedPath, Error> {
    let mut resolved = ResolvedPath::default();
    let mut row = RowReader(row.skip(0));
    resolved.advertiser_id = row.read_columns(1, |row| row.get(0))?;
    if path.campaign.is_some() {
        resolved.campaign = row.read_columns(column_count(CAMPAIGN_COLUMNS), campaign_from_row)?;
        if path.totals_at.is_some() {
            resolved.totals = row.read_columns(CurrentTotals::COLUMNS, CurrentTotals::read)?;
        }
        if !path.affiliate_ids.is_empty() {
            resolved.is_related = row.0.get(0)?;
            resolved.has_affiliate_campaign = row.0.get(1)?;
            row.0 = row.0.skip(2);
        }
    }
    if path.affiliate.is_some() {
        resolved.affiliate = row.read_columns(2, |row| {
            let status = or_unreadable(PartyStatus::parse(row.get(1)?), "party status")?;
            Ok(ResolvedAffiliate { id: row.get(0)?, status })
        })?;
        match path.campaign {
            Some(_) => {
                resolved.affiliate_campaign = row.read_columns(
                    column_count(AFFILIATE_CAMPAIGN_COLUMNS),
                    affiliate_campaign_from_row,
                )?;
            }
            None => {
                resolved.relationship =
                    row.read_columns(column_count(RELATIONSHIP_COLUMNS), relationship_from_row)?;
            }
        }
    }
    if path.promo_number.is_some() {
        resolved.promo_number =
            row.read_columns(column_count(PROMO_NUMBER_COLUMNS), promo_number_from_row)?;
    }
    Ok(resolved)
}

impl UnitOfWork<'_> {
    /// Resolves a path.
    pub fn resolve_path(&mut self, path: &PathIds<'_>) -> Result<ResolvedPath, Error> {
        let mut query =
            QueryBuilder { columns: String::new(), joins: String::new(), values: Vec::new() };
        // Kinds are parameters and not literals: with literals PostgreSQL's statistics may estimate
        // few advertisers, and it would scan all of them.
        let network = query.add_param(path.network_id);
        let kind = query.add_param(PartyKind::Advertiser.as_str());
        let advertiser = query.add_param(path.advertiser);
        query.joins = format!(
            " FROM (SELECT 1 AS one) AS whole
             LEFT JOIN parties o ON o.network_id = {network} AND o.kind = {kind}
             AND o.id_from_network = {advertiser}"
        );
        query.campaign(self, path)?;
        query.affiliate(path);
        query.promo_number(path);
        let sql = format!("SELECT o.id{}{}", query.columns, query.joins);
        let values: Vec<&dyn Value> = query.values.iter().map(|value| &**value).collect();
        let found = self.query_first(&sql, values.as_slice(), |row| read_path(row, path))?;
        or_unreadable(found, "links")
    }
}
