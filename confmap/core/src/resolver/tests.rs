mod bounds;
mod expansion;
mod locations;
mod rounds;
mod secrets;
mod typing;
