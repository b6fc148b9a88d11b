// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! Directives, `#if` expressions, and the conditions that they add up to.

use barepoint::syntax::branches::ConditionStack;
use barepoint::syntax::conditions::Condition;
use barepoint::syntax::directives::Directive;
use barepoint::syntax::expressions::Expression;
use barepoint::syntax::lexer::{Kind, lex};

pub fn fuzz(text: &[u8]) {
    let mut stack = ConditionStack::default();
    let mut last = Condition::default();
    for token in lex(text, true).tokens {
        if token.kind != Kind::Directive {
            continue;
        }
        let directive = Directive::parse(token.span.of(text));
        if let Directive::If(test) | Directive::Elif(test) = directive {
            let expression = Expression::parse(test);
            let _ = expression.value(&|_| None);
            let _ = Expression::parse(expression.render().as_bytes());
        }
        stack.directive(&directive);
        let now = stack.condition();
        assert!(now.implies(&now), "{:?}", now.render());
        let _ = (now.is_exclusive_with(&last), now.implies(&last));
        let _ = (now.or(&last).render(), now.and_not(&last).render());
        last = now;
    }
}
