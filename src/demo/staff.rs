//! The agents, the help pages, the synonyms and the days of note.

use super::calendar::{DAY, DAYS, START, date, holiday};
use super::{Agent, Article, Driver};
use chrono::{Datelike, Weekday};

/// Name, team, languages, skills (none = all), capacity, active.
type Row = (
    &'static str,
    &'static str,
    &'static [&'static str],
    &'static [&'static str],
    i64,
    bool,
);

const AGENTS: &[Row] = &[
    (
        "Amelia Hart",
        "delivery",
        &["en"],
        &["delivery", "returns", "order_change"],
        24,
        true,
    ),
    (
        "Jonas Weber",
        "delivery",
        &["en", "de"],
        &["delivery", "order_change"],
        22,
        true,
    ),
    (
        "Li Wei",
        "delivery",
        &["zh", "en"],
        &["delivery", "returns", "order_change"],
        26,
        true,
    ),
    ("Priya Nair", "delivery", &["en"], &["returns"], 20, true),
    (
        "Tom Ashby",
        "delivery",
        &["en"],
        &["delivery", "returns"],
        18,
        false,
    ),
    (
        "Wang Fang",
        "delivery",
        &["zh"],
        &["delivery", "returns"],
        22,
        true,
    ),
    (
        "Clara Neumann",
        "money",
        &["en", "de"],
        &["refund", "payment", "invoice", "voucher"],
        24,
        true,
    ),
    ("Oliver Reid", "money", &["en"], &["refund", "payment"], 22, true),
    (
        "Chen Jing",
        "money",
        &["zh", "en"],
        &["refund", "payment", "invoice", "voucher"],
        24,
        true,
    ),
    (
        "Sofia Marsh",
        "product",
        &["en"],
        &["product_question", "warranty", "damaged"],
        24,
        true,
    ),
    (
        "Zhang Min",
        "product",
        &["zh", "en"],
        &["product_question", "warranty", "damaged"],
        22,
        true,
    ),
    (
        "Felix Brandt",
        "product",
        &["en", "de"],
        &["warranty", "damaged"],
        20,
        true,
    ),
    ("Grace Lin", "account", &["en", "zh"], &["account"], 20, true),
    ("Martin Doyle", "account", &["en"], &[], 18, true),
];

/// The staff: fourteen, and their like again for every further unit of scale.
pub(super) fn agents(scale: f64) -> Vec<Agent> {
    let rounds = scale.ceil().max(1.0) as usize;
    (0..rounds * AGENTS.len())
        .map(|index| {
            let (name, team, languages, skills, capacity, active) = AGENTS[index % AGENTS.len()];
            Agent {
                agent_id: format!("A{:03}", index + 1),
                name,
                team,
                languages: languages.to_vec(),
                skills: skills.to_vec(),
                capacity,
                active,
            }
        })
        .collect()
}

/// Holidays and the Thursday newsletter, every day of the two years and ninety days on.
pub(super) fn drivers() -> Vec<Driver> {
    let day_row = |name, day: i64, value: bool| Driver {
        name,
        product_id: String::new(),
        day: date(day).to_string(),
        value: f64::from(u8::from(value)),
    };
    (0..DAYS + 90)
        .flat_map(|day| {
            let letter = date(day).weekday() == Weekday::Thu && date(day).iso_week().week().is_multiple_of(2);
            [
                day_row("holiday", day, holiday(day)),
                day_row("newsletter", day, letter),
            ]
        })
        .collect()
}

pub(super) const SYNONYMS: &[(&str, &str)] = &[
    ("parcel", "package"),
    ("refund", "reimbursement"),
    ("invoice", "bill"),
    ("voucher", "coupon"),
    ("delivery", "shipping"),
    ("broken", "damaged"),
    ("sweater", "jumper"),
    ("快递", "包裹"),
    ("退款", "退钱"),
    ("优惠券", "优惠码"),
];

/// Category, language, title, body.
const ARTICLES: &[(&str, &str, &str, &str)] = &[
    (
        "delivery",
        "en",
        "Delivery times and tracking",
        "Orders leave our warehouse within one working day. Parcels take two to four working days in Germany and Austria, three to six elsewhere. The tracking link is in your dispatch mail; if it has not moved for five days, write to us.",
    ),
    (
        "delivery",
        "zh",
        "配送时间与物流查询",
        "订单一个工作日内发出。德国和奥地利两到四个工作日,其他地区三到六个工作日。发货邮件里有物流链接,五天没有更新请联系我们。",
    ),
    (
        "returns",
        "en",
        "Returning or exchanging an article",
        "You may return unused articles within 30 days. Print the label in your account under Returns, put it on the parcel and hand it in at a post office. Returns are free. For an exchange tick the box and choose the new size or colour.",
    ),
    (
        "returns",
        "zh",
        "退货与换货",
        "未使用的商品30天内可以退货。在账户的退货页面打印标签,贴在包裹上寄出即可,退货免费。换货请勾选并选择新的尺寸或颜色。",
    ),
    (
        "refund",
        "en",
        "When do I get my money back?",
        "We refund on the day the return reaches us, to the way you paid. Banks take three to five working days to show the amount.",
    ),
    (
        "refund",
        "zh",
        "什么时候退款?",
        "收到退货当天按原支付方式退款,银行三到五个工作日到账。",
    ),
    (
        "payment",
        "en",
        "Ways to pay",
        "Cards, PayPal, bank transfer and Alipay. A declined card often needs 3-D Secure to be switched on at your bank. A second charge is a reservation and disappears by itself.",
    ),
    (
        "payment",
        "zh",
        "支付方式",
        "支持银行卡、PayPal、银行转账和支付宝。银行卡被拒绝时请在银行开启3-D验证。第二笔扣款是预授权,会自动释放。",
    ),
    (
        "account",
        "en",
        "Log-in and personal data",
        "Use 'Forgot password' and look in your spam folder. You can change the address, leave the newsletter and delete the account under Settings.",
    ),
    (
        "account",
        "zh",
        "登录与个人资料",
        "请使用“忘记密码”,并查看垃圾邮件。地址、订阅和删除账户都在设置里。",
    ),
    (
        "warranty",
        "en",
        "Guarantee and repairs",
        "All articles have a guarantee of two years. Send us a photo of the fault and the order number; we repair, replace or refund.",
    ),
    (
        "damaged",
        "en",
        "My parcel is damaged or incomplete",
        "We are sorry! Take a photo of the box and the article and write to us within seven days. A replacement leaves the same day.",
    ),
    (
        "order_change",
        "en",
        "Changing or cancelling an order",
        "An order can be changed until it is packed, usually for two hours. Write the order number and what is to change.",
    ),
    (
        "invoice",
        "en",
        "Invoices",
        "Invoices are sent as PDF with the dispatch mail and can be downloaded in your account under Orders for ten years.",
    ),
    (
        "voucher",
        "en",
        "Vouchers and gift cards",
        "One voucher per order, from the minimum stated on it. Gift cards are valid for three years and can be used in parts.",
    ),
    (
        "voucher",
        "zh",
        "优惠券与礼品卡",
        "每个订单限用一张优惠券,需达到最低金额。礼品卡有效期三年,可以分次使用。",
    ),
];

/// The help pages.
pub(super) fn articles() -> Vec<Article> {
    ARTICLES
        .iter()
        .enumerate()
        .map(|(index, &(category, language, title, body))| Article {
            article_id: format!("help-{:02}", index + 1),
            title,
            body,
            category,
            language,
            updated_at: START + (index as i64 * 37 % DAYS) * DAY + 36_000,
        })
        .collect()
}
