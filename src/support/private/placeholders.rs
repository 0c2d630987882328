//! What stands in a cleaned reply where something private stood, in the language of the reply.

use super::Kind;

pub(super) const KINDS: [Kind; 10] = [
    Kind::Name,
    Kind::Mail,
    Kind::Phone,
    Kind::Card,
    Kind::Number,
    Kind::Address,
    Kind::Link,
    Kind::Agent,
    Kind::Amount,
    Kind::Chat,
];

/// Placeholders by language, in the order of [`KINDS`]; the first is for languages without a row.
pub(super) const PLACEHOLDERS: [(&str, [&str; 10]); 7] = [
    (
        "en",
        [
            "[name]",
            "[e-mail]",
            "[phone number]",
            "[card number]",
            "[order number]",
            "[address]",
            "[link]",
            "[agent]",
            "[amount]",
            "[chat name]",
        ],
    ),
    (
        "zh",
        [
            "[姓名]",
            "[邮箱]",
            "[电话]",
            "[卡号]",
            "[单号]",
            "[地址]",
            "[链接]",
            "[客服]",
            "[金额]",
            "[聊天账号]",
        ],
    ),
    (
        "de",
        [
            "[Name]",
            "[E-Mail]",
            "[Telefonnummer]",
            "[Kartennummer]",
            "[Bestellnummer]",
            "[Adresse]",
            "[Link]",
            "[Bearbeiter]",
            "[Betrag]",
            "[Chatname]",
        ],
    ),
    (
        "fr",
        [
            "[nom]",
            "[courriel]",
            "[téléphone]",
            "[numéro de carte]",
            "[numéro de commande]",
            "[adresse]",
            "[lien]",
            "[conseiller]",
            "[montant]",
            "[pseudonyme]",
        ],
    ),
    (
        "es",
        [
            "[nombre]",
            "[correo]",
            "[teléfono]",
            "[número de tarjeta]",
            "[número de pedido]",
            "[dirección]",
            "[enlace]",
            "[agente]",
            "[importe]",
            "[nombre de chat]",
        ],
    ),
    (
        "it",
        [
            "[nome]",
            "[posta]",
            "[telefono]",
            "[numero di carta]",
            "[numero d'ordine]",
            "[indirizzo]",
            "[collegamento]",
            "[operatore]",
            "[importo]",
            "[nome di chat]",
        ],
    ),
    (
        "pt",
        [
            "[nome]",
            "[correio]",
            "[telefone]",
            "[número do cartão]",
            "[número do pedido]",
            "[endereço]",
            "[ligação]",
            "[atendente]",
            "[valor]",
            "[nome de chat]",
        ],
    ),
];

/// The placeholder of a kind in a language.
pub fn placeholder(kind: Kind, language: &str) -> &'static str {
    let row = PLACEHOLDERS
        .iter()
        .find(|row| row.0 == language)
        .unwrap_or(&PLACEHOLDERS[0]);
    row.1[kind as usize]
}

/// Whether a sentence has something that no other customer's draft may have in its place.
pub(crate) fn unquotable(text: &str) -> bool {
    PLACEHOLDERS
        .iter()
        .any(|row| text.contains(row.1[Kind::Chat as usize]))
}

/// Whether a sentence signs: it has the place of the agent's name.
pub(crate) fn signs(text: &str) -> bool {
    PLACEHOLDERS
        .iter()
        .any(|row| text.contains(row.1[Kind::Agent as usize]))
}

/// Whether a sentence is nothing but a place for the agent's name.
pub(crate) fn is_signature(text: &str) -> bool {
    PLACEHOLDERS.iter().any(|row| {
        let hole = row.1[Kind::Agent as usize];
        text.contains(hole)
            && text
                .replace(hole, "")
                .chars()
                .filter(|c| c.is_alphanumeric())
                .count()
                <= 24
    })
}

/// Whether a text has a hole that somebody must fill: one of our placeholders, or a template's own such as `<name>` and
/// `{order}`.
pub fn has_hole(text: &str) -> bool {
    let ours = PLACEHOLDERS
        .iter()
        .flat_map(|row| row.1)
        .any(|hole| text.contains(hole));
    ours || text.char_indices().any(|(at, open)| {
        let close = match open {
            '<' => '>',
            '[' => ']',
            '{' => '}',
            _ => return false,
        };
        let inside = &text[at + open.len_utf8()..];
        inside.find(close).is_some_and(|end| {
            let inside = &inside[..end];
            (1..=40).contains(&inside.chars().count())
                && inside.starts_with(|c: char| c.is_alphabetic() || c == '{' || c == '%')
                && inside
                    .chars()
                    .all(|c| c.is_alphanumeric() || " _'’.-{%}".contains(c))
        })
    })
}
