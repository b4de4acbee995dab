//! What the document says of one route beside what the table of routes knows.

use actix_web::http::Method;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::Value;

/// Writes a type's schema down, and says how to refer to it.
pub type OfType = fn(&mut SchemaGenerator) -> Schema;

/// One route, described.
pub struct Op {
    /// As in the table of routes.
    pub method: Method,
    /// As in the table of routes.
    pub path: &'static str,
    /// The part of the document that it is in: the name of one of [`super::GROUPS`].
    pub group: &'static str,
    /// A name for programs.
    pub id: &'static str,
    /// A few words.
    pub summary: &'static str,
    /// The rest, for who wants to know.
    pub about: &'static str,
    /// What the query may have.
    pub query: Vec<Param>,
    /// What may stand for `{action}`.
    pub actions: &'static [&'static str],
    /// What the body has, with an example.
    pub body: Option<(OfType, Value)>,
    /// The answers that are no problems.
    pub answers: Vec<Answer>,
}

/// A parameter of a query.
pub struct Param {
    /// Its name.
    pub name: &'static str,
    /// What it does.
    pub about: &'static str,
    /// The words it may be, if they are few.
    pub words: Vec<&'static str>,
}

/// An answer.
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// When.
    pub about: &'static str,
    /// What it carries.
    pub body: Option<OfType>,
}

impl Op {
    fn new(method: Method, path: &'static str, id: &'static str, summary: &'static str) -> Op {
        Op {
            method,
            path,
            group: "",
            id,
            summary,
            about: "",
            query: Vec::new(),
            actions: &[],
            body: None,
            answers: Vec::new(),
        }
    }

    /// A route that only looks.
    pub fn get(path: &'static str, id: &'static str, summary: &'static str) -> Op {
        Op::new(Method::GET, path, id, summary)
    }

    /// A route that does something.
    pub fn post(path: &'static str, id: &'static str, summary: &'static str) -> Op {
        Op::new(Method::POST, path, id, summary)
    }

    /// A route that changes something.
    pub fn patch(path: &'static str, id: &'static str, summary: &'static str) -> Op {
        Op::new(Method::PATCH, path, id, summary)
    }

    /// A route that puts something in the place of what there is.
    pub fn put(path: &'static str, id: &'static str, summary: &'static str) -> Op {
        Op::new(Method::PUT, path, id, summary)
    }

    /// A route that ends something.
    pub fn delete(path: &'static str, id: &'static str, summary: &'static str) -> Op {
        Op::new(Method::DELETE, path, id, summary)
    }

    /// The rest of what is to be said.
    pub fn about(self, about: &'static str) -> Op {
        Op { about, ..self }
    }

    /// What may stand for `{action}`.
    pub fn actions(self, actions: &'static [&'static str]) -> Op {
        Op { actions, ..self }
    }

    /// A parameter of the query.
    pub fn query(self, name: &'static str, about: &'static str) -> Op {
        self.query_of(name, Vec::new(), about)
    }

    /// One that is one of these words.
    pub fn query_of(mut self, name: &'static str, words: Vec<&'static str>, about: &'static str) -> Op {
        self.query.push(Param { name, about, words });
        self
    }

    /// The two parameters of every list that comes in parts.
    pub fn in_parts(self) -> Op {
        self.query("after", "`next` of the part before").query("limit", "how many in a part, 1 to 200; 50 if not given")
    }

    /// What every list that is searched takes.
    pub fn searched(self) -> Op {
        self.query("q", "what people search for").query("sort", "by which column").query_of(
            "dir",
            vec!["asc", "desc"],
            "which way",
        )
    }

    /// What it takes.
    pub fn takes<T: JsonSchema>(mut self, example: Value) -> Op {
        self.body = Some((SchemaGenerator::subschema_for::<T>, example));
        self
    }

    /// An answer.
    pub fn answers<T: JsonSchema>(mut self, status: u16, about: &'static str) -> Op {
        self.answers.push(Answer { status, about, body: Some(SchemaGenerator::subschema_for::<T>) });
        self
    }

    /// An answer that is a plain text.
    pub fn answers_text(self, status: u16, about: &'static str) -> Op {
        self.answers_nothing(status, about)
    }

    /// An answer without a body.
    pub fn answers_nothing(mut self, status: u16, about: &'static str) -> Op {
        self.answers.push(Answer { status, about, body: None });
        self
    }
}
