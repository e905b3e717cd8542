//! The step of a plan that assesses batches as they come.

use std::fmt;
use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch, StringArray, UInt64Array, new_null_array};
use arrow_schema::{DataType, Schema, SchemaRef};
use datafusion::arrow::compute::{cast, take};
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{DataFusionError, Result, exec_datafusion_err, internal_err};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::{EquivalenceProperties, PhysicalExpr};
use datafusion::physical_plan::execution_plan::EmissionType;
use datafusion::physical_plan::metrics::{BaselineMetrics, ExecutionPlanMetricsSet, MetricsSet};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    ChildrenPropertiesMode, DisplayAs, DisplayFormatType, ExecutionPlan, ExecutionPlanProperties, Partitioning,
    PlanProperties, ReplaceChildrenOptions,
};
use futures::StreamExt;
use recoup_engine::Assessor;
use recoup_tables::{Assessed, assess};

use crate::table::Gives;

/// Batches of a portfolio in, batches of rulings out, partition by partition.
#[derive(Clone)]
pub struct AssessExec {
    input: Arc<dyn ExecutionPlan>,
    assessor: Arc<Assessor<'static>>,
    gives: Gives,
    projection: Option<Vec<usize>>,
    properties: Arc<PlanProperties>,
    metrics: ExecutionPlanMetricsSet,
}

impl fmt::Debug for AssessExec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AssessExec").field("input", &self.input).field("gives", &self.gives).finish_non_exhaustive()
    }
}

impl AssessExec {
    /// Assesses what `input` gives; `projection` picks columns of what comes out.
    ///
    /// # Errors
    /// Where the projection names columns that there are not.
    pub fn try_new(
        input: Arc<dyn ExecutionPlan>,
        assessor: Arc<Assessor<'static>>,
        gives: Gives,
        projection: Option<Vec<usize>>,
    ) -> Result<Self> {
        let columns = gives.columns();
        let columns = match &projection {
            Some(projection) => columns.project(projection)?,
            None => columns,
        };
        let properties = Arc::new(PlanProperties::new(
            EquivalenceProperties::new(Arc::new(columns)),
            Partitioning::UnknownPartitioning(input.output_partitioning().partition_count()),
            EmissionType::Incremental,
            input.boundedness(),
        ));
        Ok(Self { input, assessor, gives, projection, properties, metrics: ExecutionPlanMetricsSet::new() })
    }
}

impl DisplayAs for AssessExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let run = self.assessor.run();
        let at = match (run.at, run.day) {
            (Some(at), _) => at.display(recoup_core::time::Zone::UTC).to_string(),
            (None, Some(day)) => day.to_string(),
            (None, None) => "-".to_owned(),
        };
        write!(f, "AssessExec: at={at}, gives={:?}", self.gives)
    }
}

/// The columns of the rows that have no answer, with what is wrong.
fn problems(batch: &RecordBatch, assessed: &Assessed, columns: SchemaRef) -> Result<RecordBatch> {
    let said: Vec<_> = assessed.problems().collect();
    let rows = UInt64Array::from_iter_values(said.iter().map(|said| said.row as u64));
    // Tables of a session have texts as views, others as dictionaries.
    let cells = |name: &str| match batch.column_by_name(name) {
        Some(column) => cast(&take(column, &rows, None)?, &DataType::Utf8),
        None => Ok(new_null_array(&DataType::Utf8, said.len())),
    };
    let what: ArrayRef = Arc::new(said.iter().map(|said| Some(said.what.as_str())).collect::<StringArray>());
    Ok(RecordBatch::try_new(columns, vec![cells("provider")?, cells("id")?, what])?)
}

impl AssessExec {
    fn answer(&self, batch: &RecordBatch) -> Result<RecordBatch> {
        let external = |error: recoup_tables::TableError| DataFusionError::External(Box::new(error));
        let assessed = assess(&self.assessor, batch, None).map_err(external)?;
        let answer = match self.gives {
            Gives::Rulings { of_all: true } => match assessed.problems().next() {
                Some(said) => {
                    return Err(exec_datafusion_err!(
                        "{} (`try_assess` leaves such resources out, `assess_problems` lists them)",
                        said.what
                    ));
                }
                None => assessed.rulings()?,
            },
            Gives::Rulings { of_all: false } => assessed.rulings()?,
            Gives::Problems => problems(batch, &assessed, Arc::new(self.gives.columns()))?,
        };
        match &self.projection {
            Some(projection) => Ok(answer.project(projection)?),
            None => Ok(answer),
        }
    }
}

impl ExecutionPlan for AssessExec {
    fn name(&self) -> &'static str {
        "AssessExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
    }

    fn benefits_from_input_partitioning(&self) -> Vec<bool> {
        vec![true]
    }

    fn apply_expressions(
        &self,
        _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn replace_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
        _: ReplaceChildrenOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let [input] = <[_; 1]>::try_from(children).map_err(|_| exec_datafusion_err!("AssessExec has one child"))?;
        let exec = Self::try_new(input, Arc::clone(&self.assessor), self.gives, self.projection.clone())?;
        Ok(Arc::new(exec))
    }

    fn with_new_children(self: Arc<Self>, children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        self.replace_children(children, ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute))
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        if partition >= self.input.output_partitioning().partition_count() {
            return internal_err!("AssessExec has no partition {partition}");
        }
        let metrics = BaselineMetrics::new(&self.metrics, partition);
        let exec = self.clone();
        let answers = self.input.execute(partition, context)?.map(move |batch| {
            let timer = metrics.elapsed_compute().timer();
            let answer = batch.and_then(|batch| exec.answer(&batch));
            timer.done();
            metrics.record_output(answer.as_ref().map_or(0, RecordBatch::num_rows));
            answer
        });
        let columns: Arc<Schema> = Arc::clone(self.properties.eq_properties.schema());
        Ok(Box::pin(RecordBatchStreamAdapter::new(columns, answers)))
    }

    fn metrics(&self) -> Option<MetricsSet> {
        Some(self.metrics.clone_inner())
    }
}
