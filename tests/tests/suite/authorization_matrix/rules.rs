//! The rules of access, written down independently of the product's policy, and the operations of the
//! OpenAPI document to which they apply.

use serde_json::Value;

/// Reach of a credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scope {
    Network,
    Advertiser,
    Affiliate,
}

/// Roles, lowest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Rank {
    Observer,
    Member,
    Manager,
    Super,
}

/// Object that a request names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Target {
    /// Of the advertiser and the affiliate whose credentials are used.
    Own,
    /// Of another advertiser and affiliate.
    Foreign,
    /// Does not exist.
    Absent,
}

/// Answer to a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    /// 401 with `WWW-Authenticate`.
    Unauthorized,
    /// 403 of the class `UnauthorizedOperation`.
    Forbidden,
    /// 404.
    NotFound,
    /// The credential may do it.
    Allowed,
}

/// Access of three scopes to three targets, a letter each.
///
/// - `r` every role may read it
/// - `w` Member and above may write it, an Observer is 403
/// - `m` Manager and above may write it, lower roles are 403
/// - `x` 403 for every role: in view and not permitted, or an operation that only the network or nobody
///   has, which is refused before a look at the object
/// - `.` 404 for every role: out of reach, or absent
/// - `W` 404 of something that is absent, after the role was checked as for `w`
/// - `M` the same, as for `m`
/// - `-` the operation names no object that differs from the targets before
///
/// Columns: the network, an advertiser, an affiliate; letters: own, foreign, absent. The paths of the
/// extensions begin with `~`, the others with `/`.
const RULES: &str = "
GET         /network                                                          r-- x-- x--
POST,PUT    /network                                                          w-- x-- x--
POST        /network/{email}/create_access_token                              w-W x-x x-x
GET         ~/settings                                                        r-- x-- x--
PUT         ~/settings                                                        m-- x-- x--
POST        ~/users/{user}/sign_in_links                                      mm. m.. ...

GET         /advertisers                                                      r-- r-- r--
POST        /advertisers                                                      www w.. ...
GET         /advertisers/{advertiser}                                         rr. r.. ...
POST,PUT    /advertisers/{advertiser}                                         www w.. ...
DELETE      /advertisers/{advertiser}                                         www x.. ...
GET         /advertisers/{advertiser}/users                                   rr. r.. ...
POST        /advertisers/{advertiser}/users                                   ww. w.. ...
GET         /advertisers/{advertiser}/users/{user}                            rr. r.. ...
POST,PUT    /advertisers/{advertiser}/users/{user}                            ww. w.. ...
DELETE      /advertisers/{advertiser}/users/{user}                            ww. w.. ...
POST        /advertisers/{advertiser}/{email}/create_access_token             ww. w.. ...
GET         /affiliates                                                       r-- r-- r--
POST        /affiliates                                                       www ... w..
GET         /affiliates/{affiliate}                                           rr. ... r..
POST,PUT    /affiliates/{affiliate}                                           www ... w..
DELETE      /affiliates/{affiliate}                                           www ... x..
POST        /affiliates/{affiliate}/{email}/create_access_token               ww. ... w..

GET         /custom_data_fields                                               r-- r-- r--
POST        /custom_data_fields                                               w-w x-x x-x
GET         /custom_data_fields/{partner_name}                                r-. r-. r-.
POST,PUT    /custom_data_fields/{partner_name}                                w-w x-x x-x
DELETE      /custom_data_fields/{partner_name}                                w-w x-x x-x

GET         /advertisers/{advertiser}/affiliates                              rr. r.. r..
GET         /advertisers/{advertiser}/affiliates/{affiliate}                  rr. r.. r..
POST,PUT    /advertisers/{advertiser}/affiliates/{affiliate}                  ww. w.. x..
DELETE      /advertisers/{advertiser}/affiliates/{affiliate}                  ww. w.. x..

GET         /advertisers/{advertiser}/advertiser_campaigns                    rr. r.. r..
POST        /advertisers/{advertiser}/advertiser_campaigns                    ww. w.. x..
GET         @                                                                 rr. r.. r..
POST,PUT    @                                                                 ww. w.. x..
DELETE      @                                                                 xxx xxx xxx
GET,POST    @/go_live                                                         ww. w.. x..
GET,POST    @/archive                                                         ww. w.. x..
POST        @/unarchive                                                       ww. w.. x..
GET         @/quick_stats                                                     rr. r.. ...
GET         @/affiliate_campaigns                                             rr. r.. r..
GET         @/affiliates                                                      rr. r.. r..

GET         @/affiliates/{affiliate}/affiliate_campaigns                      rr. r.. r..
POST,PUT    @/affiliates/{affiliate}/affiliate_campaigns                      ww. w.. w..
DELETE      @/affiliates/{affiliate}/affiliate_campaigns                      xxx xxx xxx
GET         @/affiliates/{affiliate}/affiliate_campaigns/{id}                 rr. r.. r..
POST,PUT    @/affiliates/{affiliate}/affiliate_campaigns/{id}                 ww. w.. w..
DELETE      @/affiliates/{affiliate}/affiliate_campaigns/{id}                 xxx xxx xxx

GET         @/promo_numbers                                                   rr. r.. ...
POST        @/promo_numbers                                                   ww. w.. ...
GET         @/promo_numbers/{number}                                          rr. r.. ...
PUT,DELETE  @/promo_numbers/{number}                                          ww. w.. ...
GET         @/promo_numbers_by_id                                             rr. r.. ...
POST        @/promo_numbers_by_id                                             ww. w.. ...
GET         @/promo_numbers_by_id/{id}                                        rr. r.. ...
PUT,DELETE  @/promo_numbers_by_id/{id}                                        ww. w.. ...
GET         @/affiliates/{affiliate}/affiliate_campaigns/promo_numbers        rr. r.. r..
POST        @/affiliates/{affiliate}/affiliate_campaigns/promo_numbers        ww. w.. w..
GET         @/affiliates/{affiliate}/affiliate_campaigns/promo_numbers/{number}     rr. r.. r..
PUT,DELETE  @/affiliates/{affiliate}/affiliate_campaigns/promo_numbers/{number}     ww. w.. w..
GET         @/affiliates/{affiliate}/affiliate_campaigns/promo_numbers_by_id        rr. r.. r..
POST        @/affiliates/{affiliate}/affiliate_campaigns/promo_numbers_by_id        ww. w.. w..
GET         @/affiliates/{affiliate}/affiliate_campaigns/promo_numbers_by_id/{id}   rr. r.. r..
PUT,DELETE  @/affiliates/{affiliate}/affiliate_campaigns/promo_numbers_by_id/{id}   ww. w.. w..

POST        ~/conditions/check                                                rr. r.. ...
GET         ~/checks/{campaign}                                               rr. r.. ...
POST        ~/dry_run                                                         rr. r.. r..
POST        ~/replay                                                          rr. r.. x..
POST        ~/redecide                                                        wwW xxx xxx

POST,PUT    /calls                                                            ww. w.. x..
GET         ~/calls                                                           r-- r-- r--
POST        ~/calls                                                           ww. w.. x..
GET         ~/calls/{id}                                                      rr. r.. r..
POST        ~/calls/{id}/events                                               ww. w.. x..
POST        ~/calls/by_external_id/{id}/events                                ww. w.. x..
GET         ~/calls/{id}/recording                                            ... ... ...
DELETE      ~/calls/{id}/recording                                            mm. x.. ...
POST        ~/calls/{id}/recording/links                                      WW. W.. ...
GET         /calls_in_progress/current_calls                                  rr. r.. xxx
POST,PUT    /calls_in_progress                                                ww. w.. xxx
GET         /networks/transactions/{network}                                  r.. x.. x..
GET         /advertisers/transactions/{advertiser}                            rr. r.. ...
GET         /affiliates/transactions/{affiliate}                              rr. ... r..
POST        ~/transactions/{transaction}/corrections                          wwW xxx xxx
GET         ~/transactions/{transaction}/explanation                          rr. r.. r..
GET         ~/statements/advertisers/{advertiser}                             rr. r.. ...
GET         ~/statements/affiliates/{affiliate}                               rr. ... r..

GET         ~/events                                                          r-- r-- r--
GET         ~/webhooks                                                        r-- x-- x--
POST        ~/webhooks                                                        m-- x-- x--
GET         ~/webhooks/{id}                                                   r-. x-x x-x
PUT         ~/webhooks/{id}                                                   m-M x-x x-x
DELETE      ~/webhooks/{id}                                                   m-m x-x x-x
GET         ~/webhooks/{id}/deliveries                                        r-. x-x x-x
POST        ~/webhooks/{id}/deliveries/{delivery}/resend                      m-M x-x x-x
GET         ~/tokens                                                          m-- m-- m--
POST        ~/tokens                                                          mm. ... m..
DELETE      ~/tokens/{id}                                                     mm. ... m..
GET         ~/mails                                                           r-- x-- x--
GET         ~/audit                                                           r-- x-- x--
GET         ~/audit/{id}                                                      r-. x-x x-x
POST        ~/audit/{id}/revert                                               w-W x-x x-x
GET         ~/sandbox                                                         r-- x-- x--
POST        ~/sandbox/clock                                                   w-- x-- x--
POST        ~/sandbox/calls                                                   w-- x-- x--
POST        ~/sandbox/reset                                                   w-- x-- x--
";

/// Path of a campaign, `@` in the rules.
const CAMPAIGN: &str = "/advertisers/{advertiser}/advertiser_campaigns/{campaign}";
/// Paths as the document has them.
const API: &str = "/api/{version}/{network_id}";
const EXTENSIONS: &str = "/trunkline/v1/networks/{network_id}";

/// An operation of the OpenAPI document with its rule.
#[derive(Debug, Clone)]
pub(super) struct Operation {
    pub(super) method: String,
    /// Path of the document.
    pub(super) path: String,
    /// Path of the rules.
    pub(super) short_path: String,
    letters: [[char; 3]; 3],
}

impl Operation {
    /// Letter of the rule.
    pub(super) fn letter(&self, scope: Scope, target: Target) -> char {
        self.letters[scope as usize][target as usize]
    }

    /// True if the operation names no object that differs from those of the targets before.
    pub(super) fn skips(&self, target: Target) -> bool {
        self.letter(Scope::Network, target) == '-'
    }

    /// True for a GET that changes the state, as versions before 2018-05-01 have it.
    pub(super) fn writes_by_get(&self) -> bool {
        self.method == "GET" && self.letter(Scope::Network, Target::Own) == 'w'
    }

    /// Answer to a credential of this network.
    pub(super) fn outcome(&self, scope: Scope, rank: Rank, target: Target) -> Outcome {
        let lowest = |lowest: Rank, permitted: Outcome| {
            if rank >= lowest { permitted } else { Outcome::Forbidden }
        };
        match self.letter(scope, target) {
            'r' => Outcome::Allowed,
            'w' => lowest(Rank::Member, Outcome::Allowed),
            'm' => lowest(Rank::Manager, Outcome::Allowed),
            'W' => lowest(Rank::Member, Outcome::NotFound),
            'M' => lowest(Rank::Manager, Outcome::NotFound),
            'x' => Outcome::Forbidden,
            '.' => Outcome::NotFound,
            letter => panic!("{} {}: unknown letter {letter}", self.method, self.path),
        }
    }
}

/// Path that needs no credential, because it is signed.
pub(super) const SIGNED: &str = "/trunkline/v1/networks/{network_id}/recordings/{token}";

/// Method, path and letters of each operation in the rules.
fn rules() -> Vec<(String, String, [[char; 3]; 3])> {
    let mut rules = Vec::new();
    for line in RULES.lines().filter(|line| !line.is_empty()) {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [methods, path, network, advertiser, affiliate] = words[..] else {
            panic!("a rule has five columns: {line}")
        };
        let letters = [network, advertiser, affiliate].map(|column| {
            let letters: Vec<char> = column.chars().collect();
            letters.try_into().unwrap_or_else(|_| panic!("three letters: {line}"))
        });
        for method in methods.split(',') {
            rules.push((method.to_owned(), path.replace('@', CAMPAIGN), letters));
        }
    }
    rules
}

/// The operations of an OpenAPI document, in its order.
///
/// # Panics
/// If an operation has no rule, or a rule no operation.
pub(super) fn operations(document: &Value) -> Vec<Operation> {
    let mut rules = rules();
    let mut operations = Vec::new();
    for (path, item) in document["paths"].as_object().expect("paths") {
        if path == SIGNED {
            continue;
        }
        let methods = item.as_object().expect("an object").keys();
        for method in methods.filter(|key| ["get", "post", "put", "delete"].contains(&&***key)) {
            let method = method.to_uppercase();
            let short_path = match path.strip_prefix(EXTENSIONS) {
                Some(rest) => format!("~{rest}"),
                None => path.strip_prefix(API).expect("a path of the API").to_owned(),
            };
            let is_rule = |(of, at, _): &(String, String, _)| *of == method && *at == short_path;
            let index = rules.iter().position(is_rule);
            let index = index.unwrap_or_else(|| panic!("{method} {short_path} has no rule"));
            let (_, _, letters) = rules.swap_remove(index);
            operations.push(Operation { method, path: path.clone(), short_path, letters });
        }
    }
    assert!(rules.is_empty(), "rules without an operation: {rules:?}");
    operations
}

/// An object that another party owns must be answered as one that does not exist.
pub(super) fn assert_rules_hide_existence(operations: &[Operation]) {
    for operation in operations {
        for scope in [Scope::Advertiser, Scope::Affiliate] {
            let [foreign, absent] =
                [Target::Foreign, Target::Absent].map(|target| operation.letter(scope, target));
            assert!(foreign == absent || foreign == '-', "{} {}", operation.method, operation.path);
        }
    }
}
