//! Test console: a network with an advertiser, two affiliates and a campaign, and browser clients.

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode, header};
use http_body_util::BodyExt;
use jiff::{SignedDuration, Timestamp};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU8, Ordering};
use tempfile::TempDir;
use tower::ServiceExt;
use trunkline_console::Console;
use trunkline_domain::campaign::{
    AutoApprove, CampaignAction, Policy, PolicyType, Pricing, TermsPatch,
};
use trunkline_domain::condition::Condition;
use trunkline_domain::id::{CampaignId, NetworkId, PartyId};
use trunkline_domain::ivr::{IvrNode, IvrTree, NodeKind};
use trunkline_domain::money::{Currency, Money};
use trunkline_domain::party::{EmailSetting, PartyKind, PartyPatch, Role, UserPatch};
use trunkline_domain::phone::PhoneNumber;
use trunkline_domain::problem::Problems;
use trunkline_domain::timezone::TimeZoneName;
use trunkline_network::affiliate_campaigns::{
    AffiliateCampaignChange, AffiliateCampaignPath, Intent,
};
use trunkline_network::campaigns::CampaignChange;
use trunkline_network::networks::NetworkChange;
use trunkline_network::promo_numbers::{PromoNumberChange, PromoNumberOwner};
use trunkline_network::{
    Actor, Context, Error, Grant, PasswordVerifier, Principal, Scope, Store, Submission,
    UnitOfWork, affiliate_campaigns, campaign_status, campaigns, credentials, networks,
    no_precondition, parties, promo_numbers,
};

pub(crate) const PASSWORD: &str = "correct horse battery staple";
pub(crate) const NETWORK_USER: &str = "robin@cedar.example";
pub(crate) const ADVERTISER_USER: &str = "mei@sunrise.example";
pub(crate) const AFFILIATE_USER: &str = "ines@leaf.example";

/// Ids of the objects.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ids {
    pub(crate) advertiser: PartyId,
    pub(crate) affiliate: PartyId,
    pub(crate) other_affiliate: PartyId,
    pub(crate) campaign: CampaignId,
}

pub(crate) struct TestConsole {
    pub(crate) router: Router,
    pub(crate) ids: Ids,
    store: Store,
    clock: Arc<AtomicI64>,
    _directory: TempDir,
}

fn start_time() -> Timestamp {
    "2026-11-20T20:00:00Z".parse().unwrap()
}

fn context() -> Context {
    let grants = vec![Grant { scope: Scope::Network, role: Role::Super }];
    let caller = Principal { network_id: NetworkId::new(1), actor: Actor::CommandLine, grants };
    Context {
        principal: caller,
        now: start_time(),
        system_now: start_time(),
        request_id: "test".to_owned(),
        warnings: trunkline_network::Warnings::default(),
        internal_id_use: Default::default(),
    }
}

fn submitted<T>(change: T) -> Submission<T> {
    Submission { change, problems: Problems::new() }
}

fn user(id: &str, name: &str, email: &str) -> UserPatch {
    let email = EmailSetting { email_address: email.to_owned(), use_for_notifications: true };
    UserPatch {
        external_id: Some(id.to_owned()),
        email_settings: Some(vec![email]),
        first_name: Some(name.to_owned()),
        last_name: Some("Moreau".to_owned()),
        ..UserPatch::default()
    }
}

fn pricing(amount: &str, condition: &str) -> Option<Option<Pricing>> {
    let policy = Policy {
        kind: PolicyType::Base,
        amount: Money::parse(amount).unwrap(),
        currency: Currency::parse("USD").unwrap(),
        condition: Condition::parse(condition).unwrap(),
    };
    Some(Some(Pricing::new(vec![policy], &mut Problems::new()).unwrap()))
}

fn create_objects(unit: &mut UnitOfWork<'_>) -> Result<Ids, Error> {
    let context = context();
    networks::create(unit, "Cedar", Some(NetworkId::new(1)), TimeZoneName::PACIFIC, start_time())?;
    let users = Some(vec![user("n1", "Robin", NETWORK_USER)]);
    let change = NetworkChange { users, ..NetworkChange::default() };
    networks::put(unit, &context, submitted(change), &no_precondition())?;
    let mut party = |kind, id: &str, name: &str, users: Vec<UserPatch>| {
        let change =
            PartyPatch { name: Some(name.to_owned()), users: Some(users), ..PartyPatch::default() };
        let made =
            parties::put(unit, &context, kind, Some(id), submitted(change), &no_precondition())?;
        Ok::<_, Error>(made.id)
    };
    let advertiser =
        party(PartyKind::Advertiser, "354", "Sunrise", vec![user("a1", "Mei", ADVERTISER_USER)])?;
    let name = "Leaf <script>alert(1)</script> & \"Lantern\"";
    let affiliate =
        party(PartyKind::Affiliate, "976", name, vec![user("f1", "Ines", AFFILIATE_USER)])?;
    let other_affiliate = party(PartyKind::Affiliate, "975", "Radio West", vec![])?;
    let prompt = "Welcome <b>caller</b>".to_owned();
    let root = IvrNode {
        kind: NodeKind::EndCall { prompt },
        children: vec![],
        keypress_failover_type: None,
    };
    let terms = TermsPatch {
        max_promo_numbers: Some(1_000),
        auto_approve: Some(AutoApprove::All),
        advertiser_payin: pricing("7.77", "mobile and duration > 60"),
        affiliate_payout: pricing("4.5", ""),
        ivr_tree: Some(Some(IvrTree {
            root,
            record_calls: true,
            caller_id: None,
            whisper_prompt_text: None,
        })),
        ..TermsPatch::default()
    };
    let change = CampaignChange {
        name: Some("Home insurance".to_owned()),
        terms,
        ..CampaignChange::default()
    };
    let change = submitted(change);
    let campaign = campaigns::put(unit, &context, "354", Some("12"), change, &no_precondition())?;
    for affiliate in ["976", "975"] {
        let place = AffiliateCampaignPath {
            advertiser: "354".to_owned(),
            campaign: "12".to_owned(),
            affiliate: affiliate.to_owned(),
            id: None,
        };
        let change = submitted(AffiliateCampaignChange::default());
        let guard = no_precondition();
        affiliate_campaigns::put(unit, &context, &place, Intent::Apply, change, &guard)?;
    }
    let hash = credentials::hash_password(PASSWORD, &[7; 32])?;
    for email in [NETWORK_USER, ADVERTISER_USER, AFFILIATE_USER] {
        credentials::set_password(unit, NetworkId::new(1), email, None, &hash)?;
    }
    Ok(Ids { advertiser, affiliate, other_affiliate, campaign: campaign.id })
}

impl TestConsole {
    pub(crate) async fn new() -> Self {
        Self::with_base_url("http://127.0.0.1:8080").await
    }

    pub(crate) async fn with_base_url(base_url: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("trunkline.db");
        let store = Store::open(&format!("sqlite://{}", file.display())).unwrap();
        let ids = store.write(create_objects).await.unwrap();
        let clock = Arc::new(AtomicI64::new(start_time().as_millisecond()));
        let next_seed = AtomicU8::new(1);
        let current_time = Arc::clone(&clock);
        let router = trunkline_console::router(Console {
            store: store.clone(),
            clock: Arc::new(move || {
                Timestamp::from_millisecond(current_time.load(Ordering::SeqCst)).unwrap()
            }),
            random: Arc::new(move || [next_seed.fetch_add(1, Ordering::SeqCst); 32]),
            body_timeout: std::time::Duration::from_secs(30),
            work_limits: Arc::default(),
            passwords: Arc::new(PasswordVerifier::new([0; 32])),
            base_url: base_url.to_owned(),
        });
        Self { router, ids, store, clock, _directory: directory }
    }

    /// Advances the clock.
    pub(crate) fn advance_clock(&self, time: SignedDuration) {
        let millis = i64::try_from(time.as_millis()).unwrap();
        self.clock.fetch_add(millis, Ordering::SeqCst);
    }

    /// Issues a one-time token for the network's user.
    pub(crate) async fn access_token(&self) -> String {
        let issued = self.store.write(|unit| {
            credentials::create_access_token(unit, &context(), None, NETWORK_USER, &[99; 32])
        });
        issued.await.unwrap().secret
    }

    /// Creates a browser that is not signed in.
    pub(crate) fn anonymous(&self) -> Browser {
        Browser { router: self.router.clone(), cookie: None }
    }

    /// Creates a browser that is signed in by password.
    pub(crate) async fn signed_in(&self, email: &str) -> Browser {
        let mut browser = self.anonymous();
        let response = browser.sign_in(email, PASSWORD, "/").await;
        assert_eq!(response.status, StatusCode::SEE_OTHER, "{}", response.body);
        browser
    }

    /// Puts the campaign live, then changes its future terms.
    pub(crate) async fn go_live_and_change(&self) {
        let changed = self.store.write(|unit| {
            let context = context();
            let live = CampaignAction::GoLive { from_archive: false };
            campaign_status::apply_action(
                unit,
                &context,
                "354",
                "12",
                submitted(live),
                &no_precondition(),
            )?;
            let payout = pricing("5.55", "");
            let terms = TermsPatch { affiliate_payout: payout, ..TermsPatch::default() };
            let change = submitted(CampaignChange { terms, ..CampaignChange::default() });
            campaigns::put(unit, &context, "354", Some("12"), change, &no_precondition())
        });
        changed.await.unwrap();
    }

    /// Creates affiliates with the given names.
    pub(crate) async fn create_affiliates(&self, names: &'static [&'static str]) {
        let created = self.store.write(move |unit| {
            for name in names {
                let change = PartyPatch { name: Some((*name).to_owned()), ..PartyPatch::default() };
                let change = submitted(change);
                let kind = PartyKind::Affiliate;
                parties::put(unit, &context(), kind, Some(name), change, &no_precondition())?;
            }
            Ok::<_, Error>(())
        });
        created.await.unwrap();
    }

    /// Allocates promo numbers to the affiliate.
    pub(crate) async fn allocate_promo_numbers(&self, count: u32) {
        let taken = self.store.write(move |unit| {
            let id = |id: &str| id.to_owned();
            let owner = PromoNumberOwner {
                advertiser: id("354"),
                campaign: id("12"),
                affiliate: Some(id("976")),
            };
            for number in 0..count {
                let number = PhoneNumber::parse(&format!("805555{number:04}")).unwrap();
                unit.insert_number(NetworkId::new(1), &number)?;
                let change = submitted(PromoNumberChange {
                    description: Some("<i>Radio</i> spot".to_owned()),
                    media_type: Some("Offline: Radio".to_owned()),
                    ..PromoNumberChange::default()
                });
                promo_numbers::assign(unit, &context(), &owner, change, None)?;
            }
            Ok::<_, Error>(())
        });
        taken.await.unwrap();
    }

    /// Paths of one page of each kind.
    pub(crate) fn paths(&self) -> Vec<String> {
        let Ids { advertiser, affiliate, campaign, .. } = self.ids;
        vec![
            format!("/as/{advertiser}/dashboards/ui"),
            format!("/ps/{affiliate}/dashboards/ui"),
            format!("/a_campaigns/terms/{campaign}"),
            format!("/p_campaigns/terms/{affiliate}/{campaign}"),
            format!("/a_campaigns/promo_numbers/{campaign}"),
            format!("/p_campaigns/promo_numbers/{affiliate}/{campaign}"),
        ]
    }
}

/// Browser client that stores the session cookie.
#[derive(Clone)]
pub(crate) struct Browser {
    router: Router,
    pub(crate) cookie: Option<String>,
}

#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Response {
    pub(crate) fn location(&self) -> &str {
        self.headers.get(header::LOCATION).unwrap().to_str().unwrap()
    }

    pub(crate) fn set_cookie(&self) -> Option<&str> {
        self.headers.get(header::SET_COOKIE).map(|value| value.to_str().unwrap())
    }
}

impl Browser {
    pub(crate) async fn get(&mut self, path: &str) -> Response {
        self.send("GET", path, &[], "").await
    }

    pub(crate) async fn sign_in(&mut self, email: &str, password: &str, next: &str) -> Response {
        let form = form_urlencoded::Serializer::new(String::new())
            .extend_pairs([("email", email), ("password", password), ("next", next)])
            .finish();
        self.post("/login", &[("sec-fetch-site", "same-origin")], &form).await
    }

    pub(crate) async fn post(
        &mut self,
        path: &str,
        headers: &[(&str, &str)],
        form: &str,
    ) -> Response {
        let kind = ("content-type", "application/x-www-form-urlencoded");
        self.send("POST", path, &[&[kind], headers].concat(), form).await
    }

    pub(crate) async fn send(
        &mut self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Response {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(cookie) = &self.cookie {
            request = request.header(header::COOKIE, cookie);
        }
        let request = request.body(Body::from(body.to_owned())).unwrap();
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        let body = String::from_utf8(body.to_vec()).unwrap();
        let response = Response { status: parts.status, headers: parts.headers, body };
        if let Some(cookie) = response.set_cookie() {
            self.cookie = cookie.split(';').next().map(str::to_owned);
        }
        response
    }
}
