//! `stats` and `dump`.

use super::connection::Connection;
use super::failure::Failure;
use super::output;

pub(super) fn stats(connection: &Connection, json: bool) -> Result<String, Failure> {
    let stats = connection.open()?.stats()?;
    if json {
        return output::json(&stats);
    }
    let widest = stats.iter().map(|stat| stat.value.to_string().len()).max().unwrap_or(0);
    let rows: Vec<_> = stats
        .into_iter()
        .map(|stat| {
            let kind = if stat.gauge { "gauge" } else { "counter" };
            [stat.name, format!("{:>widest$}", stat.value), kind.to_owned()]
        })
        .collect();
    Ok(output::table(["NAME", "VALUE", "KIND"], &rows))
}

pub(super) fn dump(connection: &Connection, json: bool) -> Result<String, Failure> {
    let dump = connection.open()?.dump()?;
    if json { output::json(&serde_json::json!({ "dump": dump })) } else { Ok(output::lines(&dump)) }
}
