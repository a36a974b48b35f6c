//! A client of the service's interface in a process of its own: kernel binder takes the uid of a process, not that of
//! the calling thread.

use mediagate::binder::{Client, ClientError};
use mediagate::control::ExplainRequest;
use serde::{Deserialize, Serialize};

use crate::actor::{Actor, Answer, Ask, Files};

/// What a client can be asked to do.
#[derive(Debug, Serialize, Deserialize)]
pub enum Call {
    /// Connects, and stays connected.
    Connect { address: String },
    /// Gives the process another uid; only one that was started as root can.
    Become { uid: u32 },
    /// The names of the packages that it may see.
    Packages,
    /// Whether this uid may read the file, by `explain`.
    MayRead { uid: u32, path: Vec<u8> },
    /// Grants or revokes a permission.
    SetPermission { package: String, permission: String, granted: bool },
    /// All numbers; answers with how many there are.
    Stats,
}

/// How a call ended that did not do what it should.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Failure {
    /// The caller may not.
    Denied(String),
    /// Nobody answers.
    Unreachable(String),
    /// The connection broke during the call.
    Lost(String),
    /// The service answered with an error.
    Failed(String),
}

impl From<ClientError> for Failure {
    fn from(error: ClientError) -> Failure {
        let message = error.to_string();
        match error {
            ClientError::Denied(_) => Failure::Denied(message),
            ClientError::Unreachable { .. } | ClientError::Address(_) => Failure::Unreachable(message),
            ClientError::Lost { .. } => Failure::Lost(message),
            ClientError::Failed(_) => Failure::Failed(message),
        }
    }
}

impl Actor {
    /// Calls the interface.
    pub fn call(&mut self, call: Call) -> Result<Answer, Failure> {
        match self.ask(&Ask::Interface(call)).expect("a call has no errno") {
            Answer::Failed(failure) => Err(failure),
            answer => Ok(answer),
        }
    }

    /// Connects to the service.
    pub fn connect(&mut self, address: &str) -> Result<(), Failure> {
        self.call(Call::Connect { address: address.to_owned() }).map(drop)
    }

    /// The names of the packages that it may see.
    pub fn packages(&mut self) -> Result<Vec<String>, Failure> {
        match self.call(Call::Packages)? {
            Answer::Names(names) => {
                Ok(names.into_iter().map(|name| String::from_utf8(name).expect("UTF-8")).collect())
            }
            other => panic!("{other:?}"),
        }
    }

    /// Changes its uid for good.
    pub fn change_uid(&mut self, uid: u32) {
        self.call(Call::Become { uid }).expect("change the uid");
        self.uid = uid;
    }
}

/// The actor's own side.
pub(crate) fn run(files: &mut Files, call: Call) -> Answer {
    act(files, call).unwrap_or_else(|error| Answer::Failed(error.into()))
}

fn act(files: &mut Files, call: Call) -> Result<Answer, ClientError> {
    match call {
        Call::Connect { address } => {
            files.client = Some(Client::connect(&address)?);
            return Ok(Answer::Done);
        }
        Call::Become { uid } => {
            let uid = nix::unistd::Uid::from_raw(uid);
            nix::unistd::setresuid(uid, uid, uid).expect("setresuid");
            return Ok(Answer::Done);
        }
        _ => {}
    }
    let client = files.client.as_ref().expect("it has connected");
    Ok(match call {
        Call::Connect { .. } | Call::Become { .. } => Answer::Done,
        Call::Packages => {
            let packages = client.packages()?;
            Answer::Names(packages.into_iter().map(|it| it.package.name.into_bytes()).collect())
        }
        Call::MayRead { uid, path } => {
            let request = ExplainRequest { uid, operation: "read".to_owned(), path, to: None };
            Answer::Number(u64::from(client.explain(&request)?.allowed))
        }
        Call::SetPermission { package, permission, granted } => {
            client.set_permission(&package, &permission, granted)?;
            Answer::Done
        }
        Call::Stats => Answer::Number(client.stats()?.len() as u64),
    })
}
