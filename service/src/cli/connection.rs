//! Which service the command line talks to.

use std::path::{Path, PathBuf};

use super::DEFAULT_CONFIG;
use super::failure::Failure;
use crate::binder::Client;

/// Where the service listens when nothing says so.
const DEFAULT_URI: &str = "unix:///run/mediagate/mediagate.sock";
/// Names the service when `--connect` does not.
const VARIABLE: &str = "MEDIAGATE_URI";

/// What the user said about where the service is.
#[derive(Debug)]
pub(super) struct Connection {
    connect: Option<String>,
    config: Option<PathBuf>,
}

impl Connection {
    pub(super) fn new(connect: Option<String>, config: Option<PathBuf>) -> Self {
        Connection { connect, config }
    }

    pub(super) fn open(&self) -> Result<Client, Failure> {
        Ok(Client::connect(&self.uri(std::env::var(VARIABLE).ok())?)?)
    }

    fn uri(&self, variable: Option<String>) -> Result<String, Failure> {
        if let Some(uri) = &self.connect {
            return Ok(uri.clone());
        }
        if let Some(uri) = variable.filter(|uri| !uri.is_empty()) {
            return Ok(uri);
        }
        let listed = match &self.config {
            Some(file) => first_listen(file)?,
            // Clients need not be able to read it, nor need it exist.
            None => first_listen(Path::new(DEFAULT_CONFIG)).ok().flatten(),
        };
        Ok(listed.unwrap_or_else(|| DEFAULT_URI.to_owned()))
    }
}

/// The first listen address of a configuration file. The rest of the file is the service's business.
fn first_listen(file: &Path) -> Result<Option<String>, Failure> {
    let shown = file.display();
    let text = std::fs::read_to_string(file)
        .map_err(|e| Failure::Usage(format!("cannot read {shown}: {e}; check --config, or use --connect")))?;
    let table: toml::Table = text.parse().map_err(|e| Failure::Usage(format!("{shown}: {e}")))?;
    let first = table.get("service").and_then(|service| service.get("listen")).and_then(|l| l.get(0));
    Ok(first.and_then(toml::Value::as_str).map(str::to_owned))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_flag_wins_then_the_variable_then_the_file() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("m.toml");
        std::fs::write(&file, "[service]\nlisten = [\"unix:///first\", \"unix:///second\"]\n").unwrap();
        let uri = |connect: Option<&str>, variable: Option<&str>, config: Option<&Path>| {
            Connection::new(connect.map(str::to_owned), config.map(Path::to_owned))
                .uri(variable.map(str::to_owned))
        };
        assert_eq!(uri(Some("unix:///a"), Some("unix:///b"), Some(&file)).unwrap(), "unix:///a");
        assert_eq!(uri(None, Some("unix:///b"), Some(&file)).unwrap(), "unix:///b");
        assert_eq!(uri(None, Some(""), Some(&file)).unwrap(), "unix:///first");
        std::fs::write(&file, "[service]\n").unwrap();
        assert_eq!(uri(None, None, Some(&file)).unwrap(), DEFAULT_URI);
        std::fs::write(&file, "[service\n").unwrap();
        assert!(matches!(uri(None, None, Some(&file)), Err(Failure::Usage(_))));
        assert!(matches!(uri(None, None, Some(&dir.path().join("none"))), Err(Failure::Usage(_))));
    }
}
