//! Which job files read well, and what is said of those that do not.

use super::*;

#[test]
fn the_shipped_files_state_the_defaults() {
    let listing = defaults();
    assert_eq!(listing.bad, []);
    for job in &listing.jobs {
        let default = match &job.kind {
            Kind::Recommendations(_) => Kind::Recommendations(RecommendationOptions::default()),
            Kind::Prices(_) => Kind::Prices(PriceOptions::default()),
            Kind::Support(_) => Kind::Support(SupportOptions::default()),
            Kind::Search(_) => Kind::Search(SearchOptions::default()),
            Kind::Upkeep(_) => Kind::Upkeep(UpkeepOptions::default()),
        };
        assert_eq!(job.kind, default);
        let bare = format!("kind = {:?}\nschedule = \"0 1 * * *\"", job.kind.as_str());
        let bare = parse("bare", "bare.toml", &bare).unwrap();
        assert_eq!(
            (bare.retries, bare.catch_up, bare.grace, bare.enabled),
            (job.retries, job.catch_up, job.grace, job.enabled)
        );
    }
}

#[test]
fn an_error_names_file_key_and_value() {
    let good = "kind = \"prices\"\nschedule = \"0 3 * * *\"\n";
    let cases = [
        ("", "jobs/x.toml: `kind` is missing"),
        (
            "kind = \"price\"",
            "kind = \"price\"; one of recommendations, prices, support, search, upkeep; did you mean `prices`?",
        ),
        ("kind = \"prices\"", "`schedule` is missing"),
        (
            "kind = \"prices\"\nschedule = \"61 3 * * *\"",
            "schedule = \"61 3 * * *\"; a five-field cron expression",
        ),
        ("kind = \"prices\"\nschedule = \"0 0 3 * * *\"", "five-field"),
        (
            "kind = \"prices\"\nschedule = \"0 2 30 2 *\"",
            "schedule = \"0 2 30 2 *\" is never due",
        ),
        ("timeout = \"soon\"", "timeout = \"soon\"; a length of time"),
        ("retries = -1", "retries = -1; a whole number from 0 to 100"),
        ("catch_up = \"all\"", "catch_up = \"all\"; \"once\" or \"no\""),
        (
            "time_zone = \"Mars/Base\"",
            "time_zone = \"Mars/Base\"; an IANA name",
        ),
        ("window = \"1-6\"", "window = \"1-6\"; two times of day"),
        ("enabled = \"yes\"", "enabled = \"yes\"; true or false"),
        ("as_of = \"today\"", "as_of = \"today\"; \"data\" or \"now\""),
        ("memory = \"lots\"", "memory = \"lots\"; an amount"),
        (
            "tiemout = \"1h\"",
            "there is no key `tiemout`; did you mean `timeout`?",
        ),
        (
            "[prices]\nhorizn = 7",
            "[prices] has no option `horizn`; did you mean `horizon`?",
        ),
        ("[prices]\nhorizon = 0", "[prices] horizon = 0; a number of steps"),
        (
            "[prices]\nhorizon = \"far\"",
            "[prices] horizon = \"far\"; invalid type",
        ),
        (
            "[prices]\ngoal = \"fame\"",
            "[prices] goal = \"fame\"; unknown variant",
        ),
        ("[prices]\nmax_change = nan", "max_change = NaN; a fraction"),
        (
            "kind = \"support\"\nschedule = \"0 3 * * *\"\n[support]\nsuggest_above_chance = -1.0",
            "suggest_above_chance = -1; a number from 0",
        ),
        (
            "[support]\nprecision = 0.9",
            "table [support] does not belong to a job of kind \"prices\"",
        ),
        ("= 3", "jobs/x.toml: TOML parse error"),
    ];
    for (text, expected) in cases {
        let text = if text.starts_with("kind") || text.is_empty() {
            text.to_owned()
        } else {
            format!("{good}{text}")
        };
        let error = parse("x", "jobs/x.toml", &text).unwrap_err();
        assert!(
            error.contains(expected) && error.starts_with("jobs/x.toml"),
            "{text:?} gave {error:?}, not {expected:?}"
        );
    }
}

#[test]
fn options_of_recommendations_that_make_no_sense_are_named() {
    let head = "kind = \"recommendations\"\nschedule = \"0 3 * * *\"\n[recommendations]\n";
    let cases = [
        ("per_user = 0", "per_user = 0; a number of rows"),
        (
            "already_bought = \"hide\"",
            "already_bought = \"hide\"; unknown variant",
        ),
        ("rest_days = 0", "rest_days = 0; a number of days"),
        ("category_cap = -1", "category_cap = -1; invalid value"),
        (
            "category_cap_among = 0",
            "category_cap_among = 0; a number of rows",
        ),
        ("diversity = 1.5", "diversity = 1.5; a number from 0 to 1"),
        ("diversity = nan", "diversity = NaN; a number from 0 to 1"),
        ("new_products = 0.9", "new_products = 0.9; a share of rows"),
        (
            "ease_products = 1000000",
            "ease_products = 1000000; a number of products",
        ),
        (
            "diversty = 0.1",
            "[recommendations] has no option `diversty`; did you mean `diversity`?",
        ),
        (
            "weights = { viev = 0.1 }",
            "[recommendations.weights] has no option `viev`; did you mean `view`?",
        ),
        ("weights = { view = 2 }", "weights.view = 2; a number from 0 to 1"),
        (
            "weights = { purchase = 0 }",
            "weights.purchase = 0; a number above 0",
        ),
        (
            "weights = { cart = inf }",
            "weights.cart = inf; a number from 0 to 1",
        ),
        ("weights = 3", "weights = 3; invalid type"),
    ];
    for (text, expected) in cases {
        let error = parse("x", "jobs/x.toml", &format!("{head}{text}")).unwrap_err();
        assert!(
            error.contains(expected),
            "{text:?} gave {error:?}, not {expected:?}"
        );
    }
    let good = format!("{head}already_bought = \"buy_again\"\nweights = {{ view = 0.2, purchase = 1 }}");
    let Kind::Recommendations(options) = parse("x", "jobs/x.toml", &good).unwrap().kind else {
        panic!("another kind")
    };
    assert_eq!((options.strengths().view, options.strengths().cart), (0.2, 0.5));
    assert_eq!(options.rows(), 125);
}

#[test]
fn a_bad_file_disables_itself_only() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(
        dir.path().join("a.toml"),
        "kind = \"search\"\nschedule = \"* * * * *\"",
    )
    .unwrap();
    std::fs::write(dir.path().join("b.toml"), "kind = 7").unwrap();
    std::fs::write(dir.path().join("notes.txt"), "not a job").unwrap();
    let listing = load(dir.path()).unwrap();
    assert_eq!(listing.jobs.len(), 1);
    assert_eq!(listing.bad[0].name, "b");
}

#[test]
fn jobs_that_wait_for_nobody_or_in_a_circle_are_disabled_alone() {
    let dir = tempfile::tempdir().unwrap();
    for (name, after) in [("a", "b"), ("b", "c"), ("c", "a"), ("d", "serch"), ("search", "")] {
        let after = if after.is_empty() {
            String::new()
        } else {
            format!("after = {after:?}")
        };
        let text = format!("kind = \"search\"\nschedule = \"0 1 * * *\"\n{after}");
        std::fs::write(dir.path().join(format!("{name}.toml")), text).unwrap();
    }
    let listing = load(dir.path()).unwrap();
    let names: Vec<&str> = listing.jobs.iter().map(|j| j.name.as_str()).collect();
    assert_eq!(names, ["search"]);
    assert_eq!(listing.bad.len(), 4);
    assert!(
        listing.bad[0].reason.contains("in a circle"),
        "{:?}",
        listing.bad[0]
    );
    assert!(
        listing.bad[3].reason.contains("did you mean `search`?"),
        "{:?}",
        listing.bad[3]
    );
}
