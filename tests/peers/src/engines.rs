//! The rule engines, each with the policy in its own language.

use std::str::FromStr;

use cedar_policy::{Authorizer, Context, Entities, EntityUid, PolicySet, Request};
use regorus::languages::rego::compiler::Compiler;
use regorus::rvm::vm::RegoVM;
use zen_expression::Isolate;
use zen_expression::expression::{Expression, Standard};
use zen_expression::variable::Variable;
use zen_expression::vm::VM;

use crate::Failure;
use crate::answer::{Answer, REASONS, bit};
use crate::flat::Flat;

const REGO: &str = include_str!("policy.rego");
const CEDAR: &str = include_str!("policy.cedar");
const ENTRY: &str = "data.bench.answer";

/// What regorus makes of a record before it is asked.
pub(crate) fn rego_input(flat: &Flat) -> Result<regorus::Value, Failure> {
    Ok(regorus::Value::from_json_str(&flat.to_input().to_string())?)
}

fn rego_answer(said: &regorus::Value) -> Option<Answer> {
    let number = |name: &str| said[name].as_i64().ok();
    let reasons = said["reasons"].as_set().ok()?;
    let bits = reasons.iter().filter_map(|reason| bit(reason.as_string().ok()?));
    Some(Answer {
        reasons: bits.fold(0, |all, bit| all | bit),
        consumed: number("consumed")?,
        fee: number("fee")?,
        refund: number("refund")?,
    })
}

/// regorus, its policy compiled once and interpreted.
pub(crate) struct Interpreted(regorus::CompiledPolicy);

impl Interpreted {
    pub(crate) fn new() -> Result<Self, Failure> {
        let mut engine = regorus::Engine::new();
        engine.add_policy("policy.rego".to_owned(), REGO.to_owned())?;
        Ok(Self(engine.compile_with_entrypoint(&ENTRY.into())?))
    }

    pub(crate) fn ask(&self, input: regorus::Value) -> Result<Option<Answer>, Failure> {
        Ok(rego_answer(&self.0.eval_with_input(input)?))
    }
}

/// regorus, its policy as the code of its virtual machine.
pub(crate) struct Bytecode(RegoVM);

impl Bytecode {
    pub(crate) fn new() -> Result<Self, Failure> {
        let program = Compiler::compile_from_policy(&Interpreted::new()?.0, &[ENTRY])?;
        let mut vm = RegoVM::new();
        vm.load_program(program);
        Ok(Self(vm))
    }

    pub(crate) fn ask(&mut self, input: regorus::Value) -> Result<Option<Answer>, Failure> {
        self.0.set_input(input);
        Ok(rego_answer(&self.0.execute_entry_point_by_index(0)?))
    }
}

/// Cedar: reasons only, since it computes nothing.
pub(crate) struct Cedar {
    policies: PolicySet,
    authorizer: Authorizer,
    entities: Entities,
    asked: EntityUid,
    /// The bits of policies, by their ids.
    bits: Vec<(cedar_policy::PolicyId, u8)>,
}

impl Cedar {
    pub(crate) fn new() -> Result<Self, Failure> {
        let policies = PolicySet::from_str(CEDAR)?;
        let named = |policy: &cedar_policy::Policy| Some((policy.id().clone(), bit(policy.annotation("id")?)?));
        let bits = policies.policies().filter_map(named).collect();
        let asked = EntityUid::from_str("Bench::\"record\"")?;
        Ok(Self { policies, authorizer: Authorizer::new(), entities: Entities::empty(), asked, bits })
    }

    /// A request about a record, made ready.
    pub(crate) fn request(&self, flat: &Flat) -> Result<Request, Failure> {
        let context = Context::from_json_value(flat.to_input(), None)?;
        Ok(Request::new(self.asked.clone(), self.asked.clone(), self.asked.clone(), context, None)?)
    }

    pub(crate) fn ask(&self, request: &Request) -> u8 {
        let response = self.authorizer.is_authorized(request, &self.policies, &self.entities);
        let bit = |id: &cedar_policy::PolicyId| self.bits.iter().find(|(own, _)| own == id).map_or(0, |(_, bit)| *bit);
        response.diagnostics().reason().fold(0, |all, id| all | bit(id))
    }
}

/// zen-expression, the virtual machine of zen-engine: reasons only.
pub(crate) struct Zen {
    expressions: Vec<Expression<Standard>>,
    vm: VM,
}

impl Zen {
    pub(crate) fn new() -> Result<Self, Failure> {
        let mut isolate = Isolate::new();
        let expressions = [
            "billing == 'pay_as_you_go'",
            "status == 'expired' or ends_at <= at",
            "frozen_security",
            "unpaid_order",
            "promotion",
            "invoiced",
            "seller == 'marketplace'",
            "product in ['domain', 'certificate', 'meeting', 'hardware']",
        ]
        .map(|text| isolate.compile_standard(text).map_err(|error| Failure::from(error.to_string())));
        Ok(Self { expressions: expressions.into_iter().collect::<Result<_, _>>()?, vm: VM::new() })
    }

    pub(crate) fn input(flat: &Flat) -> Variable {
        flat.to_input().into()
    }

    pub(crate) fn ask(&mut self, input: &Variable) -> Result<u8, Failure> {
        let mut all = 0;
        for (place, expression) in self.expressions.iter().enumerate() {
            let said =
                expression.evaluate_with(input.shallow_clone(), &mut self.vm).map_err(|error| error.to_string())?;
            all |= u8::from(said.as_bool() == Some(true)) << place;
        }
        Ok(all)
    }
}

/// As many expressions as reasons.
const _: () = assert!(REASONS.len() == 8);
