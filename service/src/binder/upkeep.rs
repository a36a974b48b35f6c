//! Maintenance between the AIDL types and those of [`crate::control`], for both ends.

use mediagate_aidl as aidl;

use super::field::{enumerator, word};
use crate::control::{ControlError, MaintenanceStatus, MaintenanceStep};

const PHASES: [(&str, aidl::MaintenancePhase); 5] = [
    ("waiting", aidl::MaintenancePhase::WAITING),
    ("running", aidl::MaintenancePhase::RUNNING),
    ("done", aidl::MaintenancePhase::DONE),
    ("cancelled", aidl::MaintenancePhase::CANCELLED),
    ("failed", aidl::MaintenancePhase::FAILED),
];
const WHAT: &str = "phase of maintenance";

fn to(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn from(number: i64) -> u64 {
    number.max(0).cast_unsigned()
}

pub(super) fn to_wire(run: MaintenanceStatus) -> Result<aidl::MaintenanceStatus, ControlError> {
    let step = |step: MaintenanceStep| {
        Ok(aidl::MaintenanceStep {
            phase: enumerator(WHAT, &PHASES, &step.phase)?,
            name: step.name,
            done: to(step.done),
            failed: to(step.failed),
            said: step.said,
        })
    };
    Ok(aidl::MaintenanceStatus {
        number: to(run.number),
        phase: enumerator(WHAT, &PHASES, &run.phase)?,
        millis: to(run.millis),
        steps: run.steps.into_iter().map(step).collect::<Result<_, ControlError>>()?,
    })
}

pub(super) fn from_wire(run: aidl::MaintenanceStatus) -> Result<MaintenanceStatus, ControlError> {
    let step = |step: aidl::MaintenanceStep| {
        Ok(MaintenanceStep {
            phase: word(WHAT, &PHASES, step.phase)?.to_owned(),
            name: step.name,
            done: from(step.done),
            failed: from(step.failed),
            said: step.said,
        })
    };
    Ok(MaintenanceStatus {
        number: from(run.number),
        phase: word(WHAT, &PHASES, run.phase)?.to_owned(),
        millis: from(run.millis),
        steps: run.steps.into_iter().map(step).collect::<Result<_, ControlError>>()?,
    })
}
