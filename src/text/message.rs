//! What a person wrote, out of what a mail program made of it.
//!
//! A message may be HTML, may quote the whole thread below or between its lines, may end in a signature and the name of
//! a telephone, and may be a megabyte long because somebody pasted a log. [`written`] takes away what the writer did
//! not write for the reader. It never takes away everything: a message that is a quotation only stays as it is.
//!
//! [`plain`] is the first half alone: text without markup, control characters and invisible marks of direction, with
//! the signature, from which a customer's name can be told.

mod html;
#[cfg(test)]
mod tests;

/// Bytes read of a message; what follows is a pasted file.
const READ: usize = 256 * 1024;

/// The message as text: no markup, no control characters, `\n` at the line ends, at most `letters` characters.
pub fn plain(message: &str, letters: usize) -> String {
    let mut end = message.len().min(READ);
    while !message.is_char_boundary(end) {
        end -= 1;
    }
    let message = &message[..end];
    let text = if html::is_html(message) {
        html::text(message)
    } else {
        message.to_owned()
    };
    let mut clean = String::with_capacity(text.len().min(letters.saturating_mul(4)));
    // A spreadsheet writes a line's end as _x000D_.
    for letter in text
        .replace("_x000D_", "\n")
        .replace("\r\n", "\n")
        .chars()
        .take(letters)
    {
        match letter {
            '\n' | '\r' | '\u{2028}' | '\u{2029}' | '\u{85}' => clean.push('\n'),
            '\t' | '\u{a0}' => clean.push(' '),
            '\u{200B}'
            | '\u{200E}'
            | '\u{200F}'
            | '\u{202A}'..='\u{202E}'
            | '\u{2066}'..='\u{2069}'
            | '\u{FEFF}' => {}
            letter if letter.is_control() => clean.push(' '), // what it kept apart stays apart
            letter => clean.push(letter),
        }
    }
    clean
}

/// What the writer wrote: [`plain`] without quoted threads and signature.
pub fn written(message: &str, letters: usize) -> String {
    let text = unquoted(message, letters);
    let lines: Vec<&str> = text.split('\n').collect();
    let kept = lines[..signature(&lines)].join("\n");
    match kept.trim() {
        "" => text, // a signature only: better all than nothing
        kept => kept.to_owned(),
    }
}

/// [`plain`] without quoted threads, but with the signature: what an agent sent.
pub fn unquoted(message: &str, letters: usize) -> String {
    let text = plain(message, letters);
    let lines: Vec<&str> = text.split('\n').collect();
    let end = (0..lines.len())
        .find(|&at| begins_quotation(&lines, at))
        .unwrap_or(lines.len());
    let own: Vec<&str> = lines[..end]
        .iter()
        .copied()
        .filter(|line| !is_quoted(line))
        .collect();
    match own.join("\n").trim() {
        // A quotation only.
        "" => lines
            .iter()
            .map(|line| without_marks(line))
            .collect::<Vec<_>>()
            .join("\n")
            .trim()
            .to_owned(),
        own => own.to_owned(),
    }
}

/// "> quoted".
fn is_quoted(line: &str) -> bool {
    let line = line.trim_start();
    line.starts_with('>') || line.starts_with("&gt;")
}

fn without_marks(line: &str) -> &str {
    line.trim_start().trim_start_matches(['>', ' '])
}

/// Ends of the line that a mail program writes above a quotation, in lower case.
const WROTE: [&str; 10] = [
    "wrote:",
    "schrieb:",
    "a écrit :",
    "a écrit:",
    "escribió:",
    "ha scritto:",
    "escreveu:",
    "写道：",
    "写道:",
    "寫道：",
];
/// And its beginnings.
const ON: [&str; 9] = ["on ", "am ", "le ", "el ", "il ", "em ", "在", "于", "於"];
/// Words between rules: -----Original Message-----.
const RULED: [&str; 14] = [
    "original message",
    "forwarded message",
    "reply message",
    "ursprüngliche nachricht",
    "originalnachricht",
    "weitergeleitete nachricht",
    "message d'origine",
    "mensaje original",
    "messaggio originale",
    "mensagem original",
    "原始邮件",
    "原邮件",
    "转发邮件",
    "原始信件",
];
/// The first line of a header block, in lower case.
const FROM: [&str; 7] = ["from:", "von:", "de :", "de:", "da:", "发件人:", "发件人："];
/// One of these follows within three lines.
const SENT: [&str; 14] = [
    "sent:",
    "to:",
    "date:",
    "subject:",
    "gesendet:",
    "datum:",
    "an:",
    "envoyé",
    "enviado",
    "inviato:",
    "发送时间:",
    "发送时间：",
    "收件人:",
    "收件人：",
];

/// Whether the rest of the lines is an older message.
fn begins_quotation(lines: &[&str], at: usize) -> bool {
    let line = lines[at].trim().to_lowercase();
    if line.is_empty() {
        return false;
    }
    let ruled = line.trim_matches(['-', '_', '=', '*', ' ']);
    if (line.starts_with("--") || line.starts_with("__") || line.starts_with("==")) && RULED.contains(&ruled)
    {
        return true;
    }
    // The line may be broken in two by its length.
    let begins = ON.iter().any(|on| line.starts_with(on));
    let next = lines
        .get(at + 1)
        .map(|next| next.trim().to_lowercase())
        .unwrap_or_default();
    let says = |line: &str| WROTE.iter().any(|wrote| line.ends_with(wrote));
    let dated = line.chars().any(|c| c.is_ascii_digit()) || line.contains(['@', '<']);
    if begins && dated && (says(&line) || says(&next)) {
        return true;
    }
    FROM.iter().any(|from| line.starts_with(from))
        && lines[at + 1..].iter().take(3).any(|line| {
            let line = line.trim().to_lowercase();
            SENT.iter().any(|sent| line.starts_with(sent))
        })
}

/// Lines that a telephone writes, in lower case.
const DEVICES: [&str; 12] = [
    "sent from my ",
    "sent from outlook",
    "get outlook for ",
    "sent from yahoo",
    "von meinem ",
    "gesendet von ",
    "envoyé de mon ",
    "enviado desde mi ",
    "inviato da ",
    "enviado do meu ",
    "发自我的",
    "来自我的",
];
/// Formulas that close a message, in lower case, and whether one alone on its line begins a signature: thanks may also
/// stand in the middle of a message.
pub const CLOSINGS: [(&str, bool); 51] = [
    ("best regards", true),
    ("kind regards", true),
    ("warm regards", true),
    ("with regards", true),
    ("regards", true),
    ("best wishes", true),
    ("sincerely", true),
    ("sincerely yours", true),
    ("yours sincerely", true),
    ("yours faithfully", true),
    ("yours truly", true),
    ("mit freundlichen grüßen", true),
    ("freundliche grüße", true),
    ("viele grüße", true),
    ("beste grüße", true),
    ("liebe grüße", true),
    ("mfg", true),
    ("cordialement", true),
    ("bien à vous", true),
    ("saludos cordiales", true),
    ("atentamente", true),
    ("cordiali saluti", true),
    ("distinti saluti", true),
    ("atenciosamente", true),
    ("此致", true),
    ("敬礼", true),
    ("此致敬礼", true),
    ("all the best", false),
    ("best", false),
    ("yours", false),
    ("cheers", false),
    ("thanks", false),
    ("many thanks", false),
    ("thank you", false),
    ("thanks in advance", false),
    ("have a nice day", false),
    ("have a great day", false),
    ("have a good day", false),
    ("take care", false),
    ("vielen dank", false),
    ("schönen tag", false),
    ("bonne journée", false),
    ("saludos", false),
    ("un saludo", false),
    ("cumprimentos", false),
    ("buona giornata", false),
    ("祝好", false),
    ("谢谢", false),
    ("敬上", false),
    ("顺祝商祺", false),
    ("祝您生活愉快", false),
];
/// Lines that a signature has at the most, and letters of each.
const SIGNATURE: (usize, usize) = (6, 60);

/// Number of lines before the signature.
fn signature(lines: &[&str]) -> usize {
    let mut end = lines.len();
    while end > 0 && lines[end - 1].trim().is_empty() {
        end -= 1;
    }
    // Under "-- " stands a signature by convention (RFC 3676, section 4.3).
    if let Some(at) =
        (0..end).find(|&at| matches!(lines[at].trim_end(), "--" | "---" | "__" | "___") && at > 0)
    {
        end = at;
    }
    let last: Vec<usize> = (0..end)
        .rev()
        .filter(|&at| !lines[at].trim().is_empty())
        .take(SIGNATURE.0 + 1)
        .collect();
    for &at in &last {
        let line = lines[at].trim().to_lowercase();
        if DEVICES.iter().any(|device| line.starts_with(device)) && line.chars().count() <= SIGNATURE.1 {
            return signature(&lines[..at]);
        }
    }
    let mut first = end;
    for &at in &last {
        let line = lines[at].trim();
        if line.chars().count() > SIGNATURE.1 {
            break;
        }
        let bare = line
            .trim_end_matches([',', '.', '!', '，', '。', '！', ' ', '~'])
            .to_lowercase();
        if CLOSINGS.contains(&(bare.as_str(), true)) {
            first = at;
        }
    }
    first
}
