//! The columns of FOCUS that are read, and how a file is recognised by them.

/// A column of FOCUS 1.0 to 1.4 that is read, in either data set.
macro_rules! columns {
    ($($name:ident),+ $(,)?) => {
        /// A column that is read.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Column { $($name),+ }

        impl Column {
            pub(crate) const ALL: &'static [Self] = &[$(Self::$name),+];

            /// The column's id, as FOCUS spells it.
            pub(crate) const fn id(self) -> &'static str {
                match self { $(Self::$name => stringify!($name)),+ }
            }
        }
    };
}

columns! {
    BilledCost, BillingAccountId, BillingCurrency, ChargeCategory, ChargeClass, ChargeFrequency, ChargePeriodEnd,
    ChargePeriodStart, CommitmentDiscountCategory, CommitmentDiscountId, CommitmentDiscountName,
    CommitmentDiscountQuantity, CommitmentDiscountStatus, CommitmentDiscountType, CommitmentDiscountUnit,
    ContractApplied, ContractCommitmentCategory, ContractCommitmentCost, ContractCommitmentDescription,
    ContractCommitmentId, ContractCommitmentLifecycleStatus, ContractCommitmentPaymentModel,
    ContractCommitmentPaymentUpfrontPercentage, ContractCommitmentPeriodEnd, ContractCommitmentPeriodStart,
    ContractCommitmentQuantity, ContractCommitmentType, ContractCommitmentUnit, ListCost, ProviderName, PublisherName,
    RegionId, RegionName, ResourceId, ResourceName, ResourceType, ServiceName, ServiceProviderName, SkuMeter, SubAccountId,
    Tags, XRecoupExit, XRecoupInstrument, XRecoupPart, XServiceCode, XSkuMeterCategory,
}

impl Column {
    /// Whether the column holds money or a quantity, which no float carries unharmed.
    pub(crate) const fn is_figure(self) -> bool {
        matches!(
            self,
            Self::BilledCost
                | Self::ListCost
                | Self::CommitmentDiscountQuantity
                | Self::ContractCommitmentCost
                | Self::ContractCommitmentQuantity
                | Self::ContractCommitmentPaymentUpfrontPercentage
        )
    }
}

/// A name as names are compared: exporters write `BilledCost`, `billedcost`, `BILLED_COST`.
pub(crate) fn folded(name: &str) -> String {
    name.chars()
        .filter(|c| !matches!(c, '_' | ' ' | '\u{feff}') && !c.is_control())
        .flat_map(char::to_lowercase)
        .collect()
}

/// The data sets of FOCUS that are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DataSet {
    /// Cost and Usage, 1.0 to 1.4.
    CostAndUsage,
    /// Contract Commitment, 1.3 and 1.4.
    ContractCommitment,
}

/// Where in a row each column stands, if at all.
#[derive(Debug, Clone)]
pub(crate) struct Layout {
    pub(crate) data_set: DataSet,
    places: Vec<Option<usize>>,
}

impl Layout {
    /// The layout of a file of FOCUS with these columns; none where it is something else.
    pub(crate) fn of<'a>(names: impl Iterator<Item = &'a str>) -> Option<Self> {
        let names: Vec<String> = names.map(folded).collect();
        let has = |name: &str| names.iter().any(|found| found == name);
        let any = |wanted: &[&str]| wanted.iter().any(|name| has(name));
        let data_set = if has("chargecategory")
            && any(&["billedcost", "effectivecost", "listcost", "contractedcost"])
            && any(&["chargeperiodstart", "billingperiodstart", "billingcurrency"])
        {
            DataSet::CostAndUsage
        } else if has("contractcommitmentid")
            && any(&["contractcommitmenttype", "contractcommitmentcategory"])
            && any(&["contractcommitmentcost", "contractcommitmentquantity", "contractcommitmentperiodstart"])
        {
            DataSet::ContractCommitment
        } else {
            return None;
        };
        Some(Self::over(data_set, names.iter().map(String::as_str)))
    }

    /// The layout of rows of a data set that is known already.
    pub(crate) fn over<'a>(data_set: DataSet, names: impl Iterator<Item = &'a str>) -> Self {
        let names: Vec<String> = names.map(folded).collect();
        let place = |column: &Column| {
            let id = folded(column.id());
            names.iter().position(|name| *name == id)
        };
        Self { data_set, places: Column::ALL.iter().map(place).collect() }
    }

    pub(crate) fn place(&self, column: Column) -> Option<usize> {
        self.places.get(column as usize).copied().flatten()
    }

    /// The places of all columns that are read, each once, in order.
    pub(crate) fn used(&self) -> Vec<usize> {
        let mut used: Vec<usize> = self.places.iter().flatten().copied().collect();
        used.sort_unstable();
        used.dedup();
        used
    }
}
