//! The dry run: shows what would be sent or done, and does nothing.

use std::sync::Arc;

use async_trait::async_trait;

use crate::gateway::{Gateway, GatewayError, LineResult, Results, Task};
use crate::model::{Case, CombinedOrder, Line};
use crate::published::Published;

/// Shows what would be sent: the call where one is published, the steps otherwise.
#[derive(Debug, Clone)]
pub struct DryRun {
    published: Arc<Published>,
}

impl DryRun {
    /// A dry run over what the providers publish.
    #[must_use]
    pub fn new(published: Arc<Published>) -> Self {
        Self { published }
    }
}

#[async_trait]
impl Gateway for DryRun {
    fn name(&self) -> &str {
        "dry-run"
    }

    fn sends(&self) -> bool {
        false
    }

    fn prepare(&self, case: &Case, order: &CombinedOrder, lines: &[&Line]) -> Result<Vec<Task>, GatewayError> {
        let mut tasks = Vec::new();
        let (by_call, by_hand): (Vec<&Line>, Vec<&Line>) =
            lines.iter().copied().partition(|line| self.published.has_call(line));
        tasks.extend(self.published.calls(case, order, &by_call)?);
        tasks.extend(self.published.steps(case, order, &by_hand)?);
        Ok(tasks)
    }

    async fn carry_out(&self, task: &Task) -> Results {
        let says = || LineResult::NotSent { says: "a dry run sends nothing".to_owned() };
        task.lines.iter().map(|line| (*line, says())).collect()
    }
}
