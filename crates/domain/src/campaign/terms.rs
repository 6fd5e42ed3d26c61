//! Terms of a campaign: pricing, hours, IVR tree, budgets and settings.

use super::{Budget, Budgets, Pricing};
use crate::condition::Term;
use crate::hours::WeeklyHours;
use crate::ivr::{self, IvrTree};
use crate::money::Currency;
use crate::problem::{Problems, TAKEN};
use crate::region::NamedRegion;
use crate::timezone::TimeZoneName;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Default of [`Terms::max_promo_numbers`].
pub const DEFAULT_MAX_PROMO_NUMBERS: u32 = 10;
/// Default of [`Terms::repeat_days`], in days.
pub const DEFAULT_REPEAT_DAYS: u16 = 30;
/// Maximum of [`Terms::repeat_days`], in days.
pub const MAX_REPEAT_DAYS: u16 = 365;
/// Allowed values of `campaign_language`.
pub const CAMPAIGN_LANGUAGES: [&str; 3] = ["English", "French", "Spanish"];
/// Allowed values of `campaign_country`. The source documents use `UK` and not the ISO code `GB`.
pub const CAMPAIGN_COUNTRIES: [&str; 15] =
    ["US", "CA", "UK", "AU", "CN", "FI", "FR", "DE", "HK", "IT", "JP", "NL", "SG", "SE", "CH"];

/// Source of a campaign's calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum CampaignType {
    /// Affiliates promote the campaign for a payout. The default.
    #[default]
    AffiliateEnabled,
    /// The advertiser promotes the campaign itself. No payin, no payout.
    DirectOnly,
    /// Another system routes the calls and reports them through the API.
    ExternalOnly,
}

/// Rule that approves applications of affiliates without a decision of the network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum AutoApprove {
    /// Approves every application.
    All,
    /// Approves none. The default.
    #[default]
    None,
    /// Approves those of Approved affiliates with an Approved relationship.
    #[serde(rename = "Approved_Affiliates")]
    ApprovedAffiliates,
}

/// Set of affiliates that can view the campaign.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Visibility {
    /// All affiliates. The default.
    #[default]
    All,
    /// Only affiliates that have an affiliate campaign already.
    None,
    /// Affiliates with an Approved relationship.
    #[serde(rename = "Approved_Affiliates")]
    ApprovedAffiliates,
}

impl CampaignType {
    /// All types.
    pub const ALL: [Self; 3] = [Self::AffiliateEnabled, Self::DirectOnly, Self::ExternalOnly];

    /// The wire value.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AffiliateEnabled => "AffiliateEnabled",
            Self::DirectOnly => "DirectOnly",
            Self::ExternalOnly => "ExternalOnly",
        }
    }
}

impl AutoApprove {
    /// All settings.
    pub const ALL: [Self; 3] = [Self::All, Self::None, Self::ApprovedAffiliates];

    /// The wire value.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::All => "All",
            Self::None => "None",
            Self::ApprovedAffiliates => "Approved_Affiliates",
        }
    }
}

impl Visibility {
    /// All settings.
    pub const ALL: [Self; 3] = [Self::All, Self::None, Self::ApprovedAffiliates];

    /// The wire value.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::All => "All",
            Self::None => "None",
            Self::ApprovedAffiliates => "Approved_Affiliates",
        }
    }
}

/// Set of terms. A set that went live is never changed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Terms {
    /// Description for people.
    pub description: Option<String>,
    /// Template of the click URL.
    pub url: Option<String>,
    /// Time zone of the hours and of the days in statistics.
    pub timezone: TimeZoneName,
    /// Flag as sent; see [`Terms::operating_24_7`] for the default.
    pub operating_24_7: Option<bool>,
    /// Source of the calls.
    pub campaign_type: CampaignType,
    /// Amounts that the affiliate is paid.
    pub affiliate_payout: Option<Pricing>,
    /// Amounts that the advertiser pays.
    pub advertiser_payin: Option<Pricing>,
    /// Hours of operation.
    pub hours: Option<WeeklyHours>,
    /// Regions that conditions refer to.
    pub named_regions: Vec<NamedRegion>,
    /// IVR tree that routes the calls.
    pub ivr_tree: Option<IvrTree>,
    /// Budgets and caps.
    pub budgets: Budgets,
    /// Rule that approves applications automatically.
    pub auto_approve: AutoApprove,
    /// Affiliates that can view the campaign.
    pub visibility: Visibility,
    /// External id of the default creative.
    #[serde(rename = "default_creative_id_from_network")]
    pub default_creative_external_id: Option<String>,
    /// Maximum number of promo numbers of the campaign and of each of its affiliate campaigns.
    pub max_promo_numbers: u32,
    /// Language, one of [`CAMPAIGN_LANGUAGES`].
    pub campaign_language: Option<String>,
    /// Country, one of [`CAMPAIGN_COUNTRIES`].
    pub campaign_country: Option<String>,
    /// Period in days after a call during which its caller is a repeat caller, as sent: 1 to
    /// [`MAX_REPEAT_DAYS`]. See [`Terms::repeat_days`] for the default.
    #[serde(default)]
    pub repeat_days: Option<u16>,
    /// Expiration: the campaign accepts no calls from this time on. `expiration_date` on the wire
    /// has the same value.
    pub pause_date: Option<Timestamp>,
    /// Time at which the draft of these terms was created.
    pub created_at: Timestamp,
    /// Time of the last change.
    pub updated_at: Timestamp,
}

/// Partial update of terms. `None` means that the request does not contain the property.
/// `Some(None)` clears an optional property; other properties are cleared by their default value.
/// The fields correspond to those of [`Terms`].
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TermsPatch {
    /// Description for people.
    pub description: Option<Option<String>>,
    /// Template of the click URL.
    pub url: Option<Option<String>>,
    /// Time zone.
    pub timezone: Option<TimeZoneName>,
    /// Flag for operation around the clock.
    pub operating_24_7: Option<Option<bool>>,
    /// Source of the calls.
    pub campaign_type: Option<CampaignType>,
    /// Amounts that the affiliate is paid.
    pub affiliate_payout: Option<Option<Pricing>>,
    /// Amounts that the advertiser pays.
    pub advertiser_payin: Option<Option<Pricing>>,
    /// Hours of operation.
    pub hours: Option<Option<WeeklyHours>>,
    /// Complete list of named regions.
    pub named_regions: Option<Vec<NamedRegion>>,
    /// IVR tree.
    pub ivr_tree: Option<Option<IvrTree>>,
    /// Complete set of budgets.
    pub budgets: Option<Budgets>,
    /// Rule that approves applications automatically.
    pub auto_approve: Option<AutoApprove>,
    /// Affiliates that can view the campaign.
    pub visibility: Option<Visibility>,
    /// External id of the default creative.
    pub default_creative_id_from_network: Option<Option<String>>,
    /// Maximum number of promo numbers.
    pub max_promo_numbers: Option<u32>,
    /// Language.
    pub campaign_language: Option<Option<String>>,
    /// Country.
    pub campaign_country: Option<Option<String>>,
    /// Period of repeat callers, in days.
    pub repeat_days: Option<Option<u16>>,
    /// Expiration.
    pub pause_date: Option<Option<Timestamp>>,
    /// Properties that the API version of the request does not show.
    pub hidden_by_version: TermsHiddenByVersion,
}

/// Properties of terms that the API version of a request does not show. A client of that version
/// cannot have read them, so leaving them out does not clear them. `true` means hidden.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TermsHiddenByVersion {
    /// Concurrent call cap of the budgets.
    pub concurrent_call_cap: bool,
    /// Caller id of the IVR tree.
    pub caller_id: bool,
    /// `enforce` of each budget. No dated version of the API documents it.
    pub enforce: OmittedEnforceFlags,
}

/// Budgets of a request that do not contain `enforce`. Their flags keep the stored values.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct OmittedEnforceFlags {
    /// Limit of the payin.
    pub budget_cap: bool,
    /// Limit of the calls.
    pub periodic_call_cap: bool,
    /// Limit of the concurrent calls.
    pub concurrent_call_cap: bool,
}

impl OmittedEnforceFlags {
    /// Copies the stored flags into the budgets of a request that does not contain them.
    fn keep_stored(self, budgets: &mut Budgets, stored: &Budgets) {
        let pairs = [
            (self.budget_cap, &mut budgets.budget_cap_alert, &stored.budget_cap_alert),
            (
                self.periodic_call_cap,
                &mut budgets.periodic_call_cap_alert,
                &stored.periodic_call_cap_alert,
            ),
        ];
        for (is_omitted, written, stored) in pairs {
            if let (true, Some(written), Some(stored)) = (is_omitted, written, stored) {
                written.enforce = stored.enforce;
            }
        }
        let written = &mut budgets.concurrent_call_cap_alert;
        if let (true, Some(written), Some(stored)) =
            (self.concurrent_call_cap, written, &stored.concurrent_call_cap_alert)
        {
            written.enforce = stored.enforce;
        }
    }
}

impl Terms {
    /// Creates terms with default values.
    pub fn new(now: Timestamp) -> Self {
        Self {
            description: None,
            url: None,
            timezone: TimeZoneName::default(),
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
            default_creative_external_id: None,
            max_promo_numbers: DEFAULT_MAX_PROMO_NUMBERS,
            campaign_language: None,
            campaign_country: None,
            repeat_days: None,
            pause_date: None,
            created_at: now,
            updated_at: now,
        }
    }

    /// Returns true if the campaign is open around the clock: the flag as sent, by default true
    /// without hours and false with hours.
    pub fn operating_24_7(&self) -> bool {
        self.operating_24_7.unwrap_or(self.hours.is_none())
    }

    /// Period in days after a call during which its caller is a repeat caller: as sent, by default
    /// [`DEFAULT_REPEAT_DAYS`].
    pub fn repeat_days(&self) -> u16 {
        self.repeat_days.unwrap_or(DEFAULT_REPEAT_DAYS)
    }

    /// Returns the budget of the payin and the currency of the payin, if the two differ in currency.
    /// Such a budget never counts.
    pub fn budget_in_other_currency(&self) -> Option<(&Budget, Currency)> {
        let budget = self.budgets.budget_cap_alert.as_ref()?;
        let currency = self.advertiser_payin.as_ref()?.currency();
        (budget.budget_currency != currency).then_some((budget, currency))
    }

    /// Returns true if a condition of the terms refers to repeat callers.
    pub fn refers_to_repeat(&self) -> bool {
        let nodes = self.ivr_tree.iter().flat_map(|tree| tree.nodes_with_paths());
        let node_conditions = nodes.filter_map(|(_, node)| match &node.kind {
            ivr::NodeKind::Condition { condition } => condition.as_ref(),
            _ => None,
        });
        let pricings = self.advertiser_payin.iter().chain(&self.affiliate_payout);
        let policies = pricings.flat_map(|pricing| pricing.policies());
        let conditions = node_conditions.chain(policies.map(|policy| &policy.condition));
        conditions.flat_map(|condition| condition.expr().terms()).any(|term| *term == Term::Repeat)
    }

    /// Returns true if affiliates can promote the campaign.
    pub fn is_affiliate_enabled(&self) -> bool {
        self.campaign_type == CampaignType::AffiliateEnabled
    }

    /// Compares two sets of terms without `created_at` and `updated_at`.
    pub fn eq_ignoring_timestamps(&self, other: &Self) -> bool {
        let other_with_own_timestamps =
            Self { created_at: self.created_at, updated_at: self.updated_at, ..other.clone() };
        *self == other_with_own_timestamps
    }

    /// Reports everything that prevents these terms from being stored, each problem at its
    /// property. Drafts may be incomplete; [`super::check_go_live_requirements`] reports
    /// missing properties too.
    pub fn validate(&self, problems: &mut Problems) {
        if self.campaign_type == CampaignType::DirectOnly {
            let pricings = [
                ("advertiser_payin", self.advertiser_payin.is_some()),
                ("affiliate_payout", self.affiliate_payout.is_some()),
            ];
            for (property, is_present) in pricings {
                if is_present {
                    problems.property(property).add("is not allowed on DirectOnly campaigns");
                }
            }
        }
        if !self.is_affiliate_enabled() && !self.budgets.is_empty() {
            problems
                .property("budget_activities")
                .add("is allowed only on AffiliateEnabled campaigns");
        }
        for (index, region) in self.named_regions.iter().enumerate() {
            let mut earlier_regions = self.named_regions.iter().take(index);
            if earlier_regions.any(|earlier| earlier.has_name(&region.name)) {
                problems.property("named_regions").item(index).property("name").add(TAKEN);
            }
        }
        if let Some(tree) = &self.ivr_tree {
            ivr::check_tree(tree, problems.property("ivr_tree"));
        }
    }
}

impl TermsPatch {
    /// Returns true if the update is the default value: it sets nothing and hides nothing.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Creates the update that sets every property to that of `terms`.
    pub fn from_terms(terms: &Terms) -> Self {
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
            default_creative_id_from_network: Some(terms.default_creative_external_id),
            max_promo_numbers: Some(terms.max_promo_numbers),
            campaign_language: Some(terms.campaign_language),
            campaign_country: Some(terms.campaign_country),
            repeat_days: Some(terms.repeat_days),
            pause_date: Some(terms.pause_date),
            hidden_by_version: TermsHiddenByVersion::default(),
        }
    }

    /// Checks the budgets of `written`, the terms after this update. Only properties of the update
    /// are checked, so that terms that were stored before a rule existed can still be written.
    ///
    /// An enforced budget of the payin must have the currency of the payin; the problem is at the
    /// budget if the update contains budgets, else at the payin.
    pub fn check_budgets(&self, written: &Terms, problems: &mut Problems) {
        let writes_budgets = self.budgets.is_some();
        if writes_budgets {
            written.budgets.check_call_counts(problems.property("budget_activities"));
        }
        match written.budget_in_other_currency() {
            Some((budget, currency)) if budget.enforce && writes_budgets => {
                add_budget_currency_problem(currency, problems);
            }
            Some((budget, _)) if budget.enforce && self.advertiser_payin.is_some() => {
                let message = format!(
                    "must be in {}, as the enforced budget",
                    budget.budget_currency.as_str()
                );
                problems.property("advertiser_payin").add(message);
            }
            _ => {}
        }
    }

    /// Applies the update to `stored` and returns the result. The timestamps are not changed.
    pub fn apply(mut self, stored: Terms) -> Terms {
        if let Some(budgets) =
            self.budgets.as_mut().filter(|_| self.hidden_by_version.concurrent_call_cap)
        {
            let stored_cap = stored.budgets.concurrent_call_cap_alert.clone();
            budgets.concurrent_call_cap_alert = stored_cap;
        }
        if let Some(budgets) = &mut self.budgets {
            self.hidden_by_version.enforce.keep_stored(budgets, &stored.budgets);
        }
        let tree = self.ivr_tree.as_mut().and_then(Option::as_mut);
        if let Some(tree) = tree.filter(|_| self.hidden_by_version.caller_id) {
            tree.caller_id = stored.ivr_tree.as_ref().and_then(|tree| tree.caller_id.clone());
        }
        // Responses show the default of a flag that was never sent. A client that writes the
        // response back, with the hours, does not set the flag.
        let is_same_hours = self.hours.as_ref().is_some_and(|hours| *hours == stored.hours);
        let shown_default = stored.operating_24_7.is_none().then(|| Some(stored.operating_24_7()));
        if is_same_hours && self.operating_24_7 == shown_default {
            self.operating_24_7 = None;
        }
        Terms {
            description: self.description.unwrap_or(stored.description),
            url: self.url.unwrap_or(stored.url),
            timezone: self.timezone.unwrap_or(stored.timezone),
            operating_24_7: self.operating_24_7.unwrap_or(stored.operating_24_7),
            campaign_type: self.campaign_type.unwrap_or(stored.campaign_type),
            affiliate_payout: self.affiliate_payout.unwrap_or(stored.affiliate_payout),
            advertiser_payin: self.advertiser_payin.unwrap_or(stored.advertiser_payin),
            hours: self.hours.unwrap_or(stored.hours),
            named_regions: self.named_regions.unwrap_or(stored.named_regions),
            ivr_tree: self.ivr_tree.unwrap_or(stored.ivr_tree),
            budgets: self.budgets.unwrap_or(stored.budgets),
            auto_approve: self.auto_approve.unwrap_or(stored.auto_approve),
            visibility: self.visibility.unwrap_or(stored.visibility),
            default_creative_external_id: self
                .default_creative_id_from_network
                .unwrap_or(stored.default_creative_external_id),
            max_promo_numbers: self.max_promo_numbers.unwrap_or(stored.max_promo_numbers),
            campaign_language: self.campaign_language.unwrap_or(stored.campaign_language),
            campaign_country: self.campaign_country.unwrap_or(stored.campaign_country),
            repeat_days: self.repeat_days.unwrap_or(stored.repeat_days),
            pause_date: self.pause_date.unwrap_or(stored.pause_date),
            created_at: stored.created_at,
            updated_at: stored.updated_at,
        }
    }
}

/// Adds the problem of a budget that is not in the currency of the payin.
pub(super) fn add_budget_currency_problem(payin: Currency, problems: &mut Problems) {
    let message = format!("must be {}, the currency of the payin", payin.as_str());
    let budget = problems.property("budget_activities").property("budget_cap_alert");
    budget.property("budget_currency").add(message);
}
