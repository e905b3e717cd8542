//! The scalar function: one resource at one instant, so that a query can ask the same of many instants.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow_array::builder::{Decimal128Builder, StringBuilder, TimestampMicrosecondBuilder};
use arrow_array::cast::AsArray;
use arrow_array::types::TimestampMicrosecondType;
use arrow_array::{Array, ArrayRef, RecordBatch, StructArray};
use arrow_schema::{DataType, Field, Fields, TimeUnit};
use datafusion::common::{Result, exec_datafusion_err, plan_err};
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility};
use recoup_core::context::Run;
use recoup_core::money::Amount;
use recoup_core::refund::{Refund, RefundQuote};
use recoup_core::ruling::RulingData;
use recoup_core::time::Instant;
use recoup_engine::{Answered, Assessor, Engine};
use recoup_tables::assess;

/// `recoup_best(resource, at)`: what the rules say of the best exit. `resource` is a struct of a
/// portfolio's columns, such as `named_struct('provider', provider, ...)`; `at` a timestamp or a date.
pub struct Best {
    assessor: Assessor<'static>,
    signature: Signature,
}

impl Best {
    /// The function over the adapters of an engine.
    #[must_use]
    pub fn new(engine: Arc<Engine>, run: Run) -> Self {
        Self { assessor: Assessor::shared(engine, run), signature: Signature::any(2, Volatility::Stable) }
    }
}

impl fmt::Debug for Best {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Best").field("assessor", &self.assessor).finish_non_exhaustive()
    }
}

// Two of them are the same function where they ask the same adapters the same question.
impl PartialEq for Best {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self.assessor.engine(), other.assessor.engine())
            && self.assessor.run().to_json() == other.assessor.run().to_json()
    }
}

impl Eq for Best {}

impl Hash for Best {
    fn hash<H: Hasher>(&self, state: &mut H) {
        std::ptr::from_ref(self.assessor.engine()).hash(state);
    }
}

const DECIMAL: DataType = DataType::Decimal128(38, 18);

fn timestamp() -> DataType {
    DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()))
}

fn columns() -> Fields {
    [
        ("outcome", DataType::Utf8),
        ("exit", DataType::Utf8),
        ("currency", DataType::Utf8),
        ("refund", DECIMAL),
        ("fee", DECIMAL),
        ("until", timestamp()),
    ]
    .map(|(name, data_type)| Field::new(name, data_type, true))
    .to_vec()
    .into()
}

/// The columns that come out, as they grow.
#[derive(Default)]
struct Columns {
    texts: [StringBuilder; 3],
    refund: Decimal128Builder,
    fee: Decimal128Builder,
    until: TimestampMicrosecondBuilder,
}

impl Columns {
    fn add(&mut self, answered: &Answered) {
        let assessment = &answered.assessment;
        let best: Option<&RulingData> = assessment.best().and_then(|exit| assessment.ruling(exit));
        let quote: Option<&RefundQuote> = best.and_then(|ruling| ruling.refund.as_ref());
        let texts = [
            Some(assessment.outcome().to_string()),
            best.map(|ruling| ruling.exit.to_string()),
            quote.map(|quote| quote.currency().to_string()),
        ];
        for (column, text) in self.texts.iter_mut().zip(texts) {
            column.append_option(text);
        }
        self.refund.append_option(quote.map(RefundQuote::refund).map(Amount::units));
        self.fee.append_option(quote.map(RefundQuote::fee).map(Amount::units));
        self.until.append_option(assessment.until().map(Instant::micros));
    }

    fn finish(self) -> Result<StructArray> {
        let Self { texts, refund, fee, mut until } = self;
        let mut cells: Vec<ArrayRef> = Vec::new();
        cells.extend(texts.map(|mut column| Arc::new(column.finish()) as ArrayRef));
        cells.extend([refund, fee].map(|mut column| Arc::new(column.finish().with_data_type(DECIMAL)) as ArrayRef));
        cells.push(Arc::new(until.finish().with_timezone("UTC")));
        Ok(StructArray::try_new(columns(), cells, None)?)
    }
}

impl ScalarUDFImpl for Best {
    fn name(&self) -> &str {
        "recoup_best"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, arg_types: &[DataType]) -> Result<DataType> {
        match arg_types {
            [DataType::Struct(_), _] => Ok(DataType::Struct(columns())),
            [other, _] => plan_err!("recoup_best: the resource is a struct of a portfolio's columns, found {other}"),
            _ => plan_err!("recoup_best takes a resource and an instant"),
        }
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let rows = args.number_rows;
        let [resource, at] = <[ColumnarValue; 2]>::try_from(args.args)
            .map_err(|_| exec_datafusion_err!("recoup_best takes a resource and an instant"))?;
        let resource = resource.into_array(rows)?;
        let resource = resource.as_struct_opt().filter(|resource| resource.null_count() == 0);
        let resource = resource.ok_or_else(|| exec_datafusion_err!("recoup_best: a resource is null or no struct"))?;
        let table = RecordBatch::from(resource.clone());
        let at = at.cast_to(&DataType::Timestamp(TimeUnit::Microsecond, None), None)?.into_array(rows)?;
        let at = at.as_primitive::<TimestampMicrosecondType>();
        if at.null_count() > 0 {
            return Err(exec_datafusion_err!("recoup_best: the instant of a row is null"));
        }
        let assessed = assess(&self.assessor, &table, Some(at)).map_err(|error| exec_datafusion_err!("{error}"))?;
        let mut columns = Columns::default();
        for answer in &assessed.answers {
            columns.add(answer.as_ref().map_err(|what| exec_datafusion_err!("recoup_best: {what}"))?);
        }
        Ok(ColumnarValue::Array(Arc::new(columns.finish()?)))
    }
}
