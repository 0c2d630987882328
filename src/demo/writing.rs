//! How people write: openings, closings, what they add, second thoughts and typing errors; and how an
//! agent begins and ends a reply.

use super::dice::Dice;

pub(super) const OPENINGS_EN: &[&str] = &[
    "Hello,",
    "Hi there,",
    "Good morning,",
    "Dear team,",
    "Hi,",
    "To whom it may concern,",
    "Hey",
    "",
    "",
    "",
];
pub(super) const OPENINGS_ZH: &[&str] = &["你好,", "您好,", "客服您好,", "在吗?", "", "", "请问一下,"];
pub(super) const CLOSINGS_EN: &[&str] = &[
    "Thanks",
    "Kind regards",
    "Please help.",
    "Thank you in advance!",
    "Best wishes",
    "I am waiting for your answer.",
    "",
    "",
    "This is the second time I write to you.",
    "Cheers",
];
pub(super) const CLOSINGS_ZH: &[&str] = &[
    "谢谢",
    "麻烦尽快处理。",
    "谢谢!",
    "等您回复。",
    "",
    "",
    "已经联系过一次了。",
];

/// Lines that any ticket may hold and that say nothing about its category.
pub(super) const ASIDES_EN: &[&str] = &[
    "I placed order {order} {days} days ago.",
    "It was a present for my sister.",
    "I have been a customer for {days} years.",
    "I tried to call but nobody picked up.",
    "My order number is {order}.",
    "It is about the {product}.",
    "I am quite disappointed.",
    "Normally everything works well with you.",
    "I paid {amount} for it.",
    "Could somebody look into this?",
    "I need an answer before the weekend.",
    "I could not find it in the help pages.",
];
pub(super) const ASIDES_ZH: &[&str] = &[
    "订单号是{order}。",
    "我{days}天前下的单。",
    "这是送给朋友的礼物。",
    "打电话没有人接。",
    "是关于{product}的。",
    "有点失望。",
    "我付了{amount}。",
    "周末前能回复吗?",
    "帮助页面里没有找到。",
    "我是老客户了。",
];

/// Messages that give nothing away: they could be of any category.
pub(super) const VAGUE_EN: &[&str] = &[
    "Something is wrong with order {order}, please call me back.",
    "I have a question about {order}.",
    "Nobody has answered my mail about the {product} so far.",
    "I am not happy with this at all, what will you do about it?",
];
pub(super) const VAGUE_ZH: &[&str] = &[
    "订单{order}有问题,请联系我。",
    "我想咨询一下{order}。",
    "之前的邮件一直没有人回复。",
];

pub(super) const GREETINGS_EN: &[&str] = &[
    "Hello,",
    "Dear customer,",
    "Hi,",
    "Good day,",
    "Thank you for your message.",
];
pub(super) const GREETINGS_ZH: &[&str] = &["您好,", "亲爱的顾客,您好!", "感谢您的来信。"];
pub(super) const SIGNATURES_EN: &[&str] = &[
    "Best regards, {name}",
    "Kind regards, {name}",
    "All the best, {name}",
    "{name}, customer care",
    "Have a nice day! {name}",
];
pub(super) const SIGNATURES_ZH: &[&str] = &["祝好,{name}", "祝您生活愉快,{name}", "客服 {name}"];

/// What the customer says when the matter is settled.
pub(super) const THANKS: &[(&str, &str)] = &[
    ("Thank you, that helps.", "谢谢,解决了。"),
    ("Great, thanks!", "好的,谢谢!"),
    ("It has arrived by now, thank you.", "已经好了,谢谢。"),
];

/// What an agent writes for colleagues only.
pub(super) const NOTES: &[&str] = &[
    "Called the customer, no answer.",
    "Asked the warehouse.",
    "Regular customer, be generous.",
    "See the older ticket too.",
];

/// What fills the slots of a line.
pub(super) struct Slots {
    pub order: String,
    pub product: String,
    pub days: i64,
    pub amount: String,
    pub name: &'static str,
}

impl Slots {
    /// The line with its slots filled.
    pub(super) fn fill(&self, line: &str) -> String {
        line.replace("{order}", &self.order)
            .replace("{product}", &self.product)
            .replace("{days}", &self.days.to_string())
            .replace("{amount}", &self.amount)
            .replace("{name}", self.name)
    }
}

/// Types a text as a hurried person does: of the letters of ASCII about `rate` are dropped, doubled
/// or swapped with the next; some people use no capitals.
pub(super) fn mistype(text: &str, rate: f64, dice: &mut Dice) -> String {
    let mut letters: Vec<char> = text.chars().collect();
    if dice.chance(rate * 8.0) {
        letters = text.to_lowercase().chars().collect();
    }
    let mut typed = String::with_capacity(text.len());
    let mut index = 0;
    while index < letters.len() {
        let letter = letters[index];
        if letter.is_ascii_alphabetic() && dice.chance(rate) {
            match dice.below(3) {
                0 => {}
                1 => typed.extend([letter, letter]),
                _ if index + 1 < letters.len() => {
                    typed.extend([letters[index + 1], letter]);
                    index += 1;
                }
                _ => typed.push(letter),
            }
        } else {
            typed.push(letter);
        }
        index += 1;
    }
    typed
}
