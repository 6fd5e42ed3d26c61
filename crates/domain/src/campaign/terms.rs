//! What a campaign pays, when it is open, and what its callers meet.

use super::{Budgets, Pricing};
use crate::hours::Hours;
use crate::ivr::{self, IvrTree};
use crate::problem::{Problems, TAKEN};
use crate::region::NamedRegion;
use crate::timezone::ZoneName;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Promo numbers that a campaign may have when it doesn't say.
pub const DEFAULT_MAX_PROMO_NUMBERS: u32 = 10;
/// Days for which a caller counts as one who has called before, when the terms don't say.
pub const DEFAULT_REPEAT_DAYS: u16 = 30;
/// The most days that terms can ask for.
pub const MAX_REPEAT_DAYS: u16 = 365;
/// The languages of `campaign_language`.
pub const CAMPAIGN_LANGUAGES: [&str; 3] = ["English", "French", "Spanish"];
/// The countries of `campaign_country`; the field writes `UK`.
pub const CAMPAIGN_COUNTRIES: [&str; 15] =
    ["US", "CA", "UK", "AU", "CN", "FI", "FR", "DE", "HK", "IT", "JP", "NL", "SG", "SE", "CH"];

/// Who brings the calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum CampaignType {
    /// Affiliates promote it, for a payout; the default.
    #[default]
    AffiliateEnabled,
    /// The advertiser's own marketing: no payin, no payout.
    DirectOnly,
    /// Calls are routed elsewhere and come in by API.
    ExternalOnly,
}

/// Which applications are approved at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum AutoApprove {
    /// Every one.
    All,
    /// None; the default.
    #[default]
    None,
    /// Those of Approved affiliates with an Approved relationship.
    #[serde(rename = "Approved_Affiliates")]
    ApprovedAffiliates,
}

/// Which affiliates see the campaign.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Visibility {
    /// All; the default.
    #[default]
    All,
    /// Those that have an affiliate campaign already.
    None,
    /// Those with an Approved relationship.
    #[serde(rename = "Approved_Affiliates")]
    ApprovedAffiliates,
}

impl CampaignType {
    /// Every type.
    pub const ALL: [Self; 3] = [Self::AffiliateEnabled, Self::DirectOnly, Self::ExternalOnly];

    /// The wire's word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AffiliateEnabled => "AffiliateEnabled",
            Self::DirectOnly => "DirectOnly",
            Self::ExternalOnly => "ExternalOnly",
        }
    }
}

impl AutoApprove {
    /// Every setting.
    pub const ALL: [Self; 3] = [Self::All, Self::None, Self::ApprovedAffiliates];

    /// The wire's word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::All => "All",
            Self::None => "None",
            Self::ApprovedAffiliates => "Approved_Affiliates",
        }
    }
}

impl Visibility {
    /// Every setting.
    pub const ALL: [Self; 3] = [Self::All, Self::None, Self::ApprovedAffiliates];

    /// The wire's word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::All => "All",
            Self::None => "None",
            Self::ApprovedAffiliates => "Approved_Affiliates",
        }
    }
}

/// One set of terms.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Terms {
    /// What it is about.
    pub description: Option<String>,
    /// The click URL template.
    pub url: Option<String>,
    /// The zone of hours and of days in statistics.
    pub timezone: ZoneName,
    /// As it was said; see [`Terms::operating_24_7`].
    pub operating_24_7: Option<bool>,
    /// Who brings the calls.
    pub campaign_type: CampaignType,
    /// What the affiliate gets.
    pub affiliate_payout: Option<Pricing>,
    /// What the advertiser pays.
    pub advertiser_payin: Option<Pricing>,
    /// When it is open.
    pub hours: Option<Hours>,
    /// Regions that conditions name.
    pub named_regions: Vec<NamedRegion>,
    /// What callers meet.
    pub ivr_tree: Option<IvrTree>,
    /// Budgets.
    pub budgets: Budgets,
    /// Which applications are approved at once.
    pub auto_approve: AutoApprove,
    /// Which affiliates see it.
    pub visibility: Visibility,
    /// The network's id of the creative used by default.
    pub default_creative_id_from_network: Option<String>,
    /// Promo numbers the campaign, and each of its affiliate campaigns, may have.
    pub max_promo_numbers: u32,
    /// One of [`CAMPAIGN_LANGUAGES`].
    pub campaign_language: Option<String>,
    /// One of [`CAMPAIGN_COUNTRIES`].
    pub campaign_country: Option<String>,
    /// Days for which a caller counts as one who has called before, as said: 1 to
    /// [`MAX_REPEAT_DAYS`]; see [`Terms::repeat_days`].
    #[serde(default)]
    pub repeat_days: Option<u16>,
    /// When it stops taking calls; reads as `expiration_date` too.
    pub pause_date: Option<Timestamp>,
    /// When these terms were opened.
    pub created_at: Timestamp,
    /// When they last changed.
    pub updated_at: Timestamp,
}

/// What a request says of the terms; `None` is "not said". Optional properties are cleared by
/// `Some(None)`, the others by their default.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TermsChange {
    /// See [`Terms`], as for all below.
    pub description: Option<Option<String>>,
    /// The click URL template.
    pub url: Option<Option<String>>,
    /// The zone.
    pub timezone: Option<ZoneName>,
    /// Always open.
    pub operating_24_7: Option<Option<bool>>,
    /// Who brings the calls.
    pub campaign_type: Option<CampaignType>,
    /// What the affiliate gets.
    pub affiliate_payout: Option<Option<Pricing>>,
    /// What the advertiser pays.
    pub advertiser_payin: Option<Option<Pricing>>,
    /// When it is open.
    pub hours: Option<Option<Hours>>,
    /// Regions that conditions name.
    pub named_regions: Option<Vec<NamedRegion>>,
    /// What callers meet.
    pub ivr_tree: Option<Option<IvrTree>>,
    /// Budgets, whole.
    pub budgets: Option<Budgets>,
    /// Which applications are approved at once.
    pub auto_approve: Option<AutoApprove>,
    /// Which affiliates see it.
    pub visibility: Option<Visibility>,
    /// The default creative.
    pub default_creative_id_from_network: Option<Option<String>>,
    /// Promo numbers allowed.
    pub max_promo_numbers: Option<u32>,
    /// The language.
    pub campaign_language: Option<Option<String>>,
    /// The country.
    pub campaign_country: Option<Option<String>>,
    /// Days of `repeat`.
    pub repeat_days: Option<Option<u16>>,
    /// When it stops.
    pub pause_date: Option<Option<Timestamp>>,
    /// What its writer cannot have seen.
    pub unseen: UnseenTerms,
}

/// What whoever wrote a request cannot have seen of the terms, and so does not take away by
/// leaving it out: dated versions of the wire that show less.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct UnseenTerms {
    /// The concurrent call cap among the budgets.
    pub concurrent_call_cap: bool,
    /// The IVR tree's caller id.
    pub caller_id: bool,
}

impl Terms {
    /// Terms of which nothing has been said yet.
    pub fn new(now: Timestamp) -> Self {
        Self {
            description: None,
            url: None,
            timezone: ZoneName::default(),
            operating_24_7: None,
            campaign_type: CampaignType::default(),
            affiliate_payout: None,
            advertiser_payin: None,
            hours: None,
            named_regions: Vec::new(),
            ivr_tree: None,
            budgets: Budgets::default(),
            auto_approve: AutoApprove::default(),
            visibility: Visibility::default(),
            default_creative_id_from_network: None,
            max_promo_numbers: DEFAULT_MAX_PROMO_NUMBERS,
            campaign_language: None,
            campaign_country: None,
            repeat_days: None,
            pause_date: None,
            created_at: now,
            updated_at: now,
        }
    }

    /// Whether it is always open: as said, and by default when no hours are given.
    pub fn operating_24_7(&self) -> bool {
        self.operating_24_7.unwrap_or(self.hours.is_none())
    }

    /// Days for which a caller counts as one who has called before: as said, 30 by default.
    pub fn repeat_days(&self) -> u16 {
        self.repeat_days.unwrap_or(DEFAULT_REPEAT_DAYS)
    }

    /// Whether affiliates can promote it.
    pub fn is_affiliate_enabled(&self) -> bool {
        self.campaign_type == CampaignType::AffiliateEnabled
    }

    /// Whether two sets of terms say the same, whenever they were written.
    pub fn says_the_same_as(&self, other: &Self) -> bool {
        let dated =
            Self { created_at: self.created_at, updated_at: self.updated_at, ..other.clone() };
        *self == dated
    }

    /// What keeps these terms from being stored, each problem at its property.
    pub fn check(&self, problems: &mut Problems) {
        if self.campaign_type == CampaignType::DirectOnly {
            let prices = [
                ("advertiser_payin", self.advertiser_payin.is_some()),
                ("affiliate_payout", self.affiliate_payout.is_some()),
            ];
            for (property, given) in prices {
                if given {
                    problems.at(property).add("is not allowed on DirectOnly campaigns");
                }
            }
        }
        if !self.is_affiliate_enabled() && !self.budgets.is_empty() {
            problems.at("budget_activities").add("is allowed only on AffiliateEnabled campaigns");
        }
        for (index, region) in self.named_regions.iter().enumerate() {
            let earlier = self.named_regions.iter().take(index);
            if earlier.clone().any(|other| other.is_called(&region.name)) {
                problems.at("named_regions").item(index).at("name").add(TAKEN);
            }
        }
        if let Some(tree) = &self.ivr_tree {
            ivr::check(tree, problems.at("ivr_tree"));
        }
    }
}

impl TermsChange {
    /// Whether nothing is said.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Everything that terms say, as a change that would make them again.
    pub fn of(terms: &Terms) -> Self {
        let terms = terms.clone();
        Self {
            description: Some(terms.description),
            url: Some(terms.url),
            timezone: Some(terms.timezone),
            operating_24_7: Some(terms.operating_24_7),
            campaign_type: Some(terms.campaign_type),
            affiliate_payout: Some(terms.affiliate_payout),
            advertiser_payin: Some(terms.advertiser_payin),
            hours: Some(terms.hours),
            named_regions: Some(terms.named_regions),
            ivr_tree: Some(terms.ivr_tree),
            budgets: Some(terms.budgets),
            auto_approve: Some(terms.auto_approve),
            visibility: Some(terms.visibility),
            default_creative_id_from_network: Some(terms.default_creative_id_from_network),
            max_promo_numbers: Some(terms.max_promo_numbers),
            campaign_language: Some(terms.campaign_language),
            campaign_country: Some(terms.campaign_country),
            repeat_days: Some(terms.repeat_days),
            pause_date: Some(terms.pause_date),
            unseen: UnseenTerms::default(),
        }
    }

    /// The terms as this change leaves them; dates stay.
    pub fn apply(mut self, had: Terms) -> Terms {
        if let Some(budgets) = self.budgets.as_mut().filter(|_| self.unseen.concurrent_call_cap) {
            let kept = had.budgets.concurrent_call_cap_alert.clone();
            budgets.concurrent_call_cap_alert = kept;
        }
        let tree = self.ivr_tree.as_mut().and_then(Option::as_mut);
        if let Some(tree) = tree.filter(|_| self.unseen.caller_id) {
            tree.caller_id = had.ivr_tree.as_ref().and_then(|tree| tree.caller_id.clone());
        }
        // What was read without ever having been said is not said by writing it back.
        let same_hours = self.hours.as_ref().is_none_or(|hours| *hours == had.hours);
        let read = had.operating_24_7.is_none().then(|| Some(had.operating_24_7()));
        if same_hours && self.operating_24_7 == read {
            self.operating_24_7 = None;
        }
        Terms {
            description: self.description.unwrap_or(had.description),
            url: self.url.unwrap_or(had.url),
            timezone: self.timezone.unwrap_or(had.timezone),
            operating_24_7: self.operating_24_7.unwrap_or(had.operating_24_7),
            campaign_type: self.campaign_type.unwrap_or(had.campaign_type),
            affiliate_payout: self.affiliate_payout.unwrap_or(had.affiliate_payout),
            advertiser_payin: self.advertiser_payin.unwrap_or(had.advertiser_payin),
            hours: self.hours.unwrap_or(had.hours),
            named_regions: self.named_regions.unwrap_or(had.named_regions),
            ivr_tree: self.ivr_tree.unwrap_or(had.ivr_tree),
            budgets: self.budgets.unwrap_or(had.budgets),
            auto_approve: self.auto_approve.unwrap_or(had.auto_approve),
            visibility: self.visibility.unwrap_or(had.visibility),
            default_creative_id_from_network: self
                .default_creative_id_from_network
                .unwrap_or(had.default_creative_id_from_network),
            max_promo_numbers: self.max_promo_numbers.unwrap_or(had.max_promo_numbers),
            campaign_language: self.campaign_language.unwrap_or(had.campaign_language),
            campaign_country: self.campaign_country.unwrap_or(had.campaign_country),
            repeat_days: self.repeat_days.unwrap_or(had.repeat_days),
            pause_date: self.pause_date.unwrap_or(had.pause_date),
            created_at: had.created_at,
            updated_at: had.updated_at,
        }
    }
}
