//! Invariants of columns, one statement for each. The rows of a statement are the violations, each
//! with its location, the stored value, and the required value.

use trunkline_domain::affiliation::{AffiliateCampaignStatus, RelationshipStatus};
use trunkline_domain::campaign::CampaignStatus;
use trunkline_domain::party::Role;

/// Named rule with its statement.
#[derive(Debug)]
pub(super) struct Rule {
    pub(super) name: &'static str,
    pub(super) sql: String,
}

/// All rules that are checked by one statement.
pub(super) fn invariant_rules() -> Vec<Rule> {
    let static_rules = STATIC_RULES.iter().map(|(name, sql)| Rule { name, sql: (*sql).to_owned() });
    let mut rules: Vec<Rule> = static_rules.collect();
    rules.extend(["payin", "payout"].map(deltas_rule));
    rules.extend(STATEFUL_OBJECTS.map(newest_state_rule));
    let campaign = CampaignStatus::ALL.map(CampaignStatus::as_str);
    let affiliate = AffiliateCampaignStatus::ALL.map(AffiliateCampaignStatus::as_str);
    let relationship = RelationshipStatus::ALL.map(RelationshipStatus::as_str);
    let role = Role::ALL.map(Role::as_str);
    rules.extend([
        word_rule("campaign_status", "campaigns", "'campaign ' || id", "status", &campaign),
        word_rule(
            "affiliate_campaign_status",
            "affiliate_campaigns",
            "'affiliate_campaign ' || id",
            "status",
            &affiliate,
        ),
        word_rule(
            "relationship_status",
            "relationships",
            "'relationship ' || id",
            "status",
            &relationship,
        ),
        word_rule("role", "memberships", MEMBERSHIP, "role", &role),
        word_rule("role", "tokens", "'token ' || id", "role", &role),
    ]);
    rules
}

/// Rule that every call has its row in `call_keys`, which exists on PostgreSQL only.
pub(super) fn call_key_rule() -> Rule {
    let describe_key = |alias: &str| {
        format!(
            "{alias}.external_id || ', ' || {alias}.complete_call_id || ' of network ' || {alias}.network_id
             || ', at ' || {alias}.start_time"
        )
    };
    Rule {
        name: "call_key",
        sql: format!(
            "SELECT 'call ' || COALESCE(c.id, y.call_id), {}, {}
             FROM calls c FULL JOIN call_keys y ON y.call_id = c.id
             WHERE c.id IS NULL OR y.call_id IS NULL OR c.external_id <> y.external_id
             OR c.complete_call_id <> y.complete_call_id OR c.network_id <> y.network_id
             OR c.start_time <> y.start_time",
            describe_key("y"),
            describe_key("c")
        ),
    }
}

const MEMBERSHIP: &str =
    "'membership ' || position || ' of ' || organization || ' ' || organization_id";

/// Rule that a column holds one of some words.
fn word_rule(name: &'static str, table: &str, at: &str, column: &str, words: &[&str]) -> Rule {
    let quoted: Vec<String> = words.iter().map(|word| format!("'{word}'")).collect();
    let sql_list = quoted.join(", ");
    let text_list = words.join(", ");
    Rule {
        name,
        sql: format!(
            "SELECT {at}, {column}, 'one of {text_list}' FROM {table} WHERE {column} NOT IN ({sql_list})"
        ),
    }
}

/// Rule that the deltas of a call's transactions add up to the amount of the latest one.
fn deltas_rule(side: &str) -> Rule {
    Rule {
        name: if side == "payin" { "payin_deltas" } else { "payout_deltas" },
        sql: format!(
            "SELECT 'call ' || n.call_id, CAST(SUM(t.{side}_delta) AS BIGINT), COALESCE(n.{side}, 0)
             FROM transactions n JOIN transactions t ON t.call_id = n.call_id
             WHERE NOT EXISTS (SELECT 1 FROM transactions x WHERE x.corrects_id = n.id)
             GROUP BY n.id, n.call_id, n.{side}
             HAVING SUM(t.{side}_delta) <> COALESCE(n.{side}, 0)"
        ),
    }
}

/// Rule that the latest row in `object_states` is the state of the object.
fn newest_state_rule((kind, table, name): (&str, &str, &str)) -> Rule {
    let condition =
        if table == "parties" { format!(" AND o.kind = '{kind}'") } else { String::new() };
    Rule {
        name: "newest_state",
        sql: format!(
            "SELECT '{kind} ' || o.id, s.name || ', ' || s.status || ', ' || s.custom_data,
                 {name} || ', ' || o.status || ', ' || o.custom_data
             FROM {table} o
             LEFT JOIN object_states s ON s.id = (SELECT MAX(id) FROM object_states
                 WHERE object = '{kind}' AND object_id = o.id)
             WHERE (s.id IS NULL OR s.status <> o.status OR s.name <> {name}
                 OR s.custom_data <> o.custom_data){condition}"
        ),
    }
}

/// Objects with states: kind, table, and expression of the name.
const STATEFUL_OBJECTS: [(&str, &str, &str); 4] = [
    ("advertiser", "parties", "o.name"),
    ("affiliate", "parties", "o.name"),
    ("campaign", "campaigns", "o.name"),
    ("affiliate_campaign", "affiliate_campaigns", "''"),
];

const STATIC_RULES: [(&str, &str); 30] = [
    // Writes keep this; no unique index does.
    (
        "external_call_id",
        "SELECT 'advertiser ' || k.advertiser_id || ', external id ' || c.external_id,
             COUNT(*) || ' calls', 'one call'
         FROM calls c JOIN campaigns k ON k.id = c.campaign_id
         GROUP BY k.advertiser_id, c.external_id HAVING COUNT(*) > 1",
    ),
    // Each ended call was priced once, and no live call was.
    (
        "one_transaction",
        "SELECT 'call ' || q.id, q.found, q.expected FROM (SELECT c.id,
             CASE WHEN c.ended_at IS NULL THEN 0 ELSE 1 END AS expected,
             (SELECT COUNT(*) FROM transactions t
              WHERE t.call_id = c.id AND t.start_time = c.start_time
              AND t.corrects_id IS NULL) AS found
         FROM calls c) q WHERE q.found <> q.expected",
    ),
    // With the rule above, and with each transaction corrected at most once, the transactions of a
    // call form one chain with one latest transaction.
    (
        "one_chain",
        "SELECT 'transaction ' || t.id, 'corrects transaction ' || t.corrects_id,
             'an earlier transaction of call ' || t.call_id
         FROM transactions t LEFT JOIN transactions p ON p.id = t.corrects_id
         WHERE t.corrects_id IS NOT NULL AND (p.id IS NULL OR p.call_id <> t.call_id OR p.id >= t.id)",
    ),
    (
        "one_chain",
        "SELECT 'transaction ' || t.corrects_id, COUNT(*), 1 FROM transactions t
         WHERE t.corrects_id IS NOT NULL GROUP BY t.corrects_id HAVING COUNT(*) > 1",
    ),
    (
        "transaction_of_call",
        "SELECT 'transaction ' || t.id,
             'network ' || t.network_id || ', campaign ' || t.campaign_id || ', affiliate '
             || COALESCE(t.affiliate_id, 0) || ', at ' || t.start_time,
             'network ' || c.network_id || ', campaign ' || c.campaign_id || ', affiliate '
             || COALESCE(c.affiliate_id, 0) || ', at ' || c.start_time
         FROM transactions t JOIN calls c ON c.id = t.call_id
         WHERE t.network_id <> c.network_id OR t.start_time <> c.start_time
         OR (t.corrects_id IS NULL AND (t.campaign_id <> c.campaign_id
             OR t.affiliate_id IS DISTINCT FROM c.affiliate_id))",
    ),
    // A correction that moves a call to other parties is preceded by one that takes it from the
    // former ones.
    (
        "moved_call",
        "SELECT 'transaction ' || t.id,
             'corrects transaction ' || o.id || ' of other parties, with payin '
             || COALESCE(o.payin, 0) || ' and payout ' || COALESCE(o.payout, 0),
             'a correction of theirs, with amounts of 0'
         FROM transactions t
         JOIN transactions o ON o.id = t.corrects_id AND o.start_time = t.start_time
         WHERE (t.campaign_id <> o.campaign_id OR t.affiliate_id IS DISTINCT FROM o.affiliate_id)
         AND (o.corrects_id IS NULL OR COALESCE(o.payin, 0) <> 0 OR COALESCE(o.payout, 0) <> 0)",
    ),
    (
        "transaction_of_call",
        "SELECT 'transaction ' || t.id, 'advertiser ' || t.advertiser_id,
             'advertiser ' || k.advertiser_id
         FROM transactions t JOIN campaigns k ON k.id = t.campaign_id
         WHERE t.advertiser_id <> k.advertiser_id",
    ),
    (
        "live_call",
        "SELECT 'call ' || c.id,
             CASE WHEN l.call_id IS NULL THEN 'no row in live_calls' ELSE 'a row in live_calls' END,
             CASE WHEN c.ended_at IS NULL THEN 'a row in live_calls' ELSE 'none: it is over' END
         FROM calls c LEFT JOIN live_calls l ON l.call_id = c.id
         WHERE (c.ended_at IS NULL AND l.call_id IS NULL)
         OR (c.ended_at IS NOT NULL AND l.call_id IS NOT NULL)",
    ),
    (
        "live_call",
        "SELECT 'call ' || c.id, 'campaign ' || l.campaign_id, 'campaign ' || c.campaign_id
         FROM calls c JOIN live_calls l ON l.call_id = c.id WHERE l.campaign_id <> c.campaign_id",
    ),
    (
        "budget_total",
        "SELECT q.at, q.total, q.recount FROM (SELECT b.total,
             'campaign ' || b.campaign_id || ', calls from ' || b.period_start AS at,
             (SELECT COUNT(*) FROM calls c WHERE c.campaign_id = b.campaign_id
              AND c.start_time >= b.period_start AND c.start_time < b.period_end
              AND c.turned_away IS NULL) AS recount
         FROM budget_totals b WHERE b.kind = 'calls') q WHERE q.total <> q.recount",
    ),
    (
        "budget_total",
        "SELECT q.at, q.total, q.recount FROM (SELECT b.total,
             'campaign ' || b.campaign_id || ', ' || b.currency || ' from ' || b.period_start AS at,
             (SELECT CAST(COALESCE(SUM(t.payin_delta), 0) AS BIGINT) FROM transactions t
              WHERE t.campaign_id = b.campaign_id AND t.start_time >= b.period_start
              AND t.start_time < b.period_end AND t.payin_currency = b.currency) AS recount
         FROM budget_totals b WHERE b.kind = 'payin') q WHERE q.total <> q.recount",
    ),
    (
        "budget_total",
        "SELECT 'campaign ' || campaign_id, kind, 'one of calls, payin, at_once'
         FROM budget_totals WHERE kind NOT IN ('calls', 'payin', 'at_once')",
    ),
    // A start time given to the second may be any moment in it.
    (
        "terms_of_call",
        "SELECT 'call ' || c.id,
             'terms ' || t.id || ' of campaign ' || t.campaign_id || ', live at ' || t.went_live_at,
             'terms of campaign ' || c.campaign_id || ' that were live at ' || c.start_time
         FROM calls c JOIN terms t ON t.id = c.terms_id
         WHERE t.campaign_id <> c.campaign_id
         OR (t.went_live_at > c.start_time AND c.start_time / 1000 <> t.went_live_at / 1000)",
    ),
    (
        "terms_of_call",
        "SELECT 'call ' || c.id, 'no terms', 'terms of campaign ' || c.campaign_id
         FROM calls c WHERE c.terms_id IS NULL AND c.turned_away IS NULL",
    ),
    (
        "current_terms",
        "SELECT 'campaign ' || k.id, 'terms ' || k.current_terms_id || CASE WHEN t.id IS NULL
             THEN ', which are not there' ELSE ' of campaign ' || t.campaign_id END,
             'terms of campaign ' || k.id
         FROM campaigns k LEFT JOIN terms t ON t.id = k.current_terms_id
         WHERE k.current_terms_id IS NOT NULL AND (t.id IS NULL OR t.campaign_id <> k.id)",
    ),
    (
        "promo_number",
        "SELECT 'promo_number ' || p.id, CASE WHEN n.number IS NULL
             THEN 'a number that is not in the inventory'
             ELSE 'a number taken by ' || COALESCE(n.promo_number_id, 0) END,
             'a number taken by ' || p.id
         FROM promo_numbers p
         LEFT JOIN numbers n ON n.network_id = p.network_id AND n.number = p.number
         WHERE n.number IS NULL OR n.promo_number_id IS NULL OR n.promo_number_id <> p.id",
    ),
    (
        "number",
        "SELECT 'number ' || n.number || ' of network ' || n.network_id,
             'taken by promo_number ' || n.promo_number_id, 'a promo number with this number'
         FROM numbers n LEFT JOIN promo_numbers p ON p.id = n.promo_number_id
         WHERE n.promo_number_id IS NOT NULL
         AND (p.id IS NULL OR p.number <> n.number OR p.network_id <> n.network_id)",
    ),
    (
        "holding",
        "SELECT 'promo_number ' || p.id, COALESCE('held by campaign ' || h.campaign_id || ', affiliate '
             || COALESCE(h.affiliate_id, 0), 'without a holder'),
             'held by campaign ' || p.campaign_id || ', affiliate ' || COALESCE(p.affiliate_id, 0)
         FROM promo_numbers p LEFT JOIN promo_number_holdings h
             ON h.promo_number_id = p.id AND h.ends_at IS NULL
         WHERE h.id IS NULL OR h.network_id <> p.network_id OR h.number <> p.number
         OR h.campaign_id <> p.campaign_id OR h.affiliate_id IS DISTINCT FROM p.affiliate_id
         OR h.description <> p.description OR h.media_type <> p.media_type
         OR h.custom_data <> p.custom_data",
    ),
    (
        "holding",
        "SELECT 'holding ' || MAX(h.id), 'no end', 'an end: the number was released or held again'
         FROM promo_number_holdings h WHERE h.ends_at IS NULL GROUP BY h.promo_number_id
         HAVING COUNT(*) > 1 OR NOT EXISTS (
             SELECT 1 FROM promo_numbers p WHERE p.id = h.promo_number_id)",
    ),
    (
        "holding",
        "SELECT 'holding ' || id, 'ends at ' || ends_at, 'not before ' || starts_at
         FROM promo_number_holdings WHERE ends_at < starts_at",
    ),
    (
        "membership",
        "SELECT 'membership ' || m.position || ' of ' || m.organization || ' ' || m.organization_id,
             CASE WHEN u.id IS NULL THEN 'user ' || m.user_id || ', who is not there'
                  WHEN COALESCE(p.network_id, n.id) IS NULL THEN 'an organization that is not there'
                  ELSE 'user ' || m.user_id || ' of network ' || u.network_id END,
             'a user and an organization of one network'
         FROM memberships m LEFT JOIN users u ON u.id = m.user_id
         LEFT JOIN parties p ON p.id = m.organization_id AND p.kind = m.organization
         LEFT JOIN networks n ON n.id = m.organization_id AND m.organization = 'network'
         WHERE u.id IS NULL OR COALESCE(p.network_id, n.id) IS NULL
         OR COALESCE(p.network_id, n.id) <> u.network_id",
    ),
    (
        "due",
        "SELECT 'delivery ' || id, CASE WHEN due_at IS NULL THEN 'not due' ELSE 'due' END,
             CASE WHEN state = 'pending' THEN 'due: it is pending' ELSE 'not due: it is over' END
         FROM deliveries WHERE (state = 'pending') <> (due_at IS NOT NULL)",
    ),
    (
        "due",
        "SELECT 'mail ' || id, CASE WHEN due_at IS NULL THEN 'not due' ELSE 'due' END,
             CASE WHEN state = 'waiting' THEN 'due: it waits' ELSE 'not due: it is over' END
         FROM mails WHERE (state = 'waiting') <> (due_at IS NOT NULL)",
    ),
    (
        "network",
        "SELECT 'campaign ' || k.id, 'network ' || k.network_id,
             p.kind || ' ' || p.id || ' of network ' || p.network_id
         FROM campaigns k JOIN parties p ON p.id = k.advertiser_id
         WHERE p.network_id <> k.network_id OR p.kind <> 'advertiser'",
    ),
    (
        "network",
        "SELECT 'affiliate_campaign ' || a.id, 'network ' || a.network_id,
             p.kind || ' of network ' || p.network_id || ', campaign of network ' || k.network_id
         FROM affiliate_campaigns a JOIN parties p ON p.id = a.affiliate_id
         JOIN campaigns k ON k.id = a.campaign_id
         WHERE p.network_id <> a.network_id OR k.network_id <> a.network_id OR p.kind <> 'affiliate'",
    ),
    (
        "network",
        "SELECT 'relationship ' || r.id, a.kind || ' of network ' || a.network_id || ', '
             || f.kind || ' of network ' || f.network_id, 'an advertiser and an affiliate of one network'
         FROM relationships r JOIN parties a ON a.id = r.advertiser_id
         JOIN parties f ON f.id = r.affiliate_id
         WHERE a.network_id <> f.network_id OR a.kind <> 'advertiser' OR f.kind <> 'affiliate'",
    ),
    (
        "network",
        "SELECT 'promo_number ' || n.id, 'network ' || n.network_id, 'network ' || k.network_id
         FROM promo_numbers n JOIN campaigns k ON k.id = n.campaign_id
         WHERE n.network_id <> k.network_id",
    ),
    (
        "network",
        "SELECT 'call ' || c.id, 'network ' || c.network_id, 'network ' || k.network_id
         FROM calls c JOIN campaigns k ON k.id = c.campaign_id WHERE c.network_id <> k.network_id",
    ),
    (
        "network",
        "SELECT 'delivery ' || d.id, 'an event of network ' || e.network_id,
             'an event of network ' || w.network_id
         FROM deliveries d JOIN events e ON e.id = d.event_id JOIN webhooks w ON w.id = d.webhook_id
         WHERE e.network_id <> w.network_id",
    ),
    (
        "token",
        "SELECT 'token ' || t.id, t.scope, COALESCE(p.kind || ' of network ' || p.network_id, 'network')
         FROM tokens t LEFT JOIN parties p ON p.id = t.party_id
         WHERE t.scope <> COALESCE(p.kind, 'network') OR p.network_id <> t.network_id",
    ),
];
