//! The network as bytes: safetensors under a header of ours ([`crate::neural::file`]), with the spreads among the tensors and, as
//! notes, its form and the instant of the newest price that shaped it.

use super::Network;
use super::form::Form;
use super::net::Net;
use super::window::Spread;
use crate::neural::Layout;
use crate::neural::file::{FileError, read as read_file, write as write_file};
use crate::neural::random::Init;
use std::collections::BTreeMap;

/// The parameters' layout and, behind it, the spreads'.
fn layout(net: &Net, form: &Form) -> Layout {
    let mut layout = net.layout.clone();
    for (name, len) in [
        ("spread.window", form.window()),
        ("spread.ahead", form.horizon),
        ("spread.drivers", form.drivers.len()),
        ("spread.band", 2),
    ] {
        if len > 0 {
            layout.add(name, &[len], Init::Zero);
        }
    }
    layout
}

/// The blob of a network that knows nothing after the instant `until`.
pub fn write(network: &Network, until: i64) -> Vec<u8> {
    let mut values = network.params.clone();
    let Spread {
        window,
        ahead,
        drivers,
        band,
    } = &network.spread;
    for spread in [&window[..], ahead, drivers, band] {
        values.extend_from_slice(spread);
    }
    let notes = BTreeMap::from([
        ("form".to_owned(), format!("{:?}", network.form)),
        ("until".to_owned(), until.to_string()),
    ]);
    write_file(&layout(&network.net, &network.form), &values, &notes)
}

/// Parameters, spreads and the instant up to which they know the past.
///
/// # Errors
/// Whatever bytes they are, an error says why they are no network of this form.
pub fn read(blob: &[u8], form: &Form) -> Result<(Vec<f32>, Spread, i64), FileError> {
    let saved = read_file(blob)?;
    let misfit = |what: &str| FileError::Misfit(what.to_owned());
    if saved.notes.get("form") != Some(&format!("{form:?}")) {
        return Err(misfit("it was made for series of another form"));
    }
    let until = saved
        .notes
        .get("until")
        .and_then(|until| until.parse().ok())
        .ok_or_else(|| misfit("it does not say what it knows"))?;
    let net = Net::new(form);
    let mut params = saved.params(&layout(&net, form))?;
    let spreads = params.split_off(net.layout.len());
    if spreads.iter().any(|spread| *spread <= 0.0) {
        return Err(misfit("a spread is not positive"));
    }
    let (window, rest) = spreads.split_at(form.window());
    let (ahead, rest) = rest.split_at(form.horizon);
    let (drivers, band) = rest.split_at(form.drivers.len());
    let spread = Spread {
        window: window.to_vec(),
        ahead: ahead.to_vec(),
        drivers: drivers.to_vec(),
        band: [band[0], band[1]],
    };
    Ok((params, spread, until))
}
