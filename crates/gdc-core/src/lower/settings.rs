//! `train { ... }`.

use super::{Lowered, Lowerer};
use crate::codes;
use gdc_ir::{Threads, Until};
use gdc_syntax::similar::suggest;
use gdc_syntax::{Diagnostic, Span, ast};

const NAMES: &[&str] = &["batch", "epochs", "steps", "until", "shuffle", "drop_last", "seed", "threads"];

impl Lowerer<'_> {
    pub(super) fn train(&mut self, settings: &[ast::Setting]) -> Lowered<()> {
        let mut failed = false;
        for setting in settings {
            failed |= self.setting(setting).is_err();
        }
        if failed { Err(gdc_syntax::Reported) } else { Ok(()) }
    }

    fn setting(&mut self, setting: &ast::Setting) -> Lowered<()> {
        let (name, value) = (&setting.name, &setting.value);
        match name.text.as_str() {
            "batch" => self.model.settings.batch = Some(self.count(value, 1)?),
            "epochs" => self.model.settings.epochs = Some(self.count(value, 1)?),
            "steps" => self.model.settings.steps = Some(self.count(value, 1)?),
            "seed" => self.model.settings.seed = self.count(value, 0)? as u64,
            "shuffle" => self.model.settings.shuffle = self.flag(value)?,
            "drop_last" => self.model.settings.drop_last = self.flag(value)?,
            "threads" => self.model.settings.threads = Some(self.threads(value)?),
            "until" => self.model.settings.until = Some(self.until(value)?),
            _ => {
                let mut d = Diagnostic::error(
                    codes::UNKNOWN_SETTING,
                    name.span,
                    format!("there is no setting `{}`", name.text),
                )
                .note(format!("the settings are: {}", NAMES.join(", ")));
                if let Some(close) = suggest(&name.text, NAMES.iter().copied()) {
                    d = d.help(format!("did you mean `{close}`?"));
                } else if name.text == "lr" || name.text == "learning_rate" {
                    d = d.help("the learning rate belongs to the optimizer: `optimizer sgd(lr = 0.1);`");
                }
                return Err(self.report(d));
            }
        }
        Ok(())
    }

    fn count(&mut self, value: &ast::Expr, least: i64) -> Lowered<usize> {
        let v = self.expr(value)?;
        let n = self.static_int(&v, value.span, "this setting")?;
        if n < least || n > 1 << 40 {
            let message = format!("this setting must be at least {least}, and it is {n}");
            let help = if n < least { format!("write {least} or more") } else { "write a smaller number".to_owned() };
            return Err(self.report(Diagnostic::error(codes::SETTING, value.span, message).help(help)));
        }
        Ok(n as usize)
    }

    /// `auto`, or the greatest number of threads.
    fn threads(&mut self, value: &ast::Expr) -> Lowered<Threads> {
        let most = match &value.kind {
            ast::ExprKind::Name(n) if n.text == "auto" => None,
            _ => Some(self.count(value, 1)?),
        };
        Ok(Threads { most, origin: Some(Self::loc(value.span)) })
    }

    fn flag(&mut self, value: &ast::Expr) -> Lowered<bool> {
        match value.kind {
            ast::ExprKind::Bool(b) => Ok(b),
            _ => Err(self.error(codes::SETTING, value.span, "this setting is `true` or `false`")),
        }
    }

    /// `mean_loss < 1e-3`
    fn until(&mut self, value: &ast::Expr) -> Lowered<Until> {
        let wrong = |this: &mut Self, span: Span| {
            this.report(
                Diagnostic::error(codes::SETTING, span, "a stopping rule compares the mean loss with a number")
                    .help("write `until = mean_loss < 1e-3;`"),
            )
        };
        let ast::ExprKind::Binary { op: ast::BinaryOp::Lt, left, right, .. } = &value.kind else {
            return Err(wrong(self, value.span));
        };
        match &left.kind {
            ast::ExprKind::Name(n) if n.text == "mean_loss" => {}
            _ => return Err(wrong(self, left.span)),
        }
        let limit = self.operand(right)?;
        let real = self.real(&limit, right.span)?;
        match self.model.graph.exprs.as_real(real) {
            Some(x) => Ok(Until::MeanLossBelow(x)),
            None => Err(wrong(self, right.span)),
        }
    }
}
