//! A place over the wire where scenarios are run, one after the other: opened once, with the
//! programs that it needs, and closed at the end. Each run has a [`Session`] there.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::time::Duration;

use kube::config::{KubeConfigOptions, Kubeconfig};

use super::context::{self, Chosen};
use super::credentials;
use super::envtest::ControlPlane;
use super::error::SiteError;
use super::guard::NAMESPACES;
use super::home::Home;
use super::inside::Inside;
use super::kind::{Made, Tool};
use super::own;
use super::played::{FIRST_NODE, NODES};
use super::served::Served;
use super::shell::Shell;
use super::trouble::Trouble;
use super::wire::Wire;
use super::{Cluster, Gives, Heard, Place, Pods, Repository, needs};
use crate::api::Request;
use crate::api::http::Link;
use crate::base::{Clock, Profile, Rng, limits};
use crate::lab::scenario::Scenario;
use crate::lab::scenario::model::ImageRule;
use crate::lab::world::git::GitWorld;
use crate::sim::pods::ContainerStage;
use crate::sim::stages::Stage;
use crate::sim::world::Parts;

/// Whether somebody wants the run to end. Clones are the same.
#[derive(Clone, Debug, Default)]
pub struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    /// Somebody does.
    pub fn set(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether somebody does.
    #[must_use]
    pub fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// Waits until somebody does.
    async fn wait(&self) {
        while !self.is_set() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

/// How a place is used.
#[derive(Clone, Debug, Default)]
pub struct Terms {
    /// Contexts that may be written to, whatever they are.
    pub yes_on: Vec<String>,
    /// Whether what was made stays.
    pub keep: bool,
    /// The Kubernetes version of a cluster that is made for this.
    pub version: Option<String>,
    /// Nodes of a cluster that is made for this.
    pub nodes: Option<u16>,
    /// Who runs pods, where somebody says it.
    pub pods: Option<Pods>,
    /// Set where the run is to end.
    pub interrupt: Interrupt,
}

/// A place that is open.
#[derive(Debug)]
pub struct Site {
    place: Place,
    pub(super) terms: Terms,
    clients: Shell,
    servers: Shell,
    /// What is connected to; `None` where each run has a server of its own.
    target: Option<Target>,
    /// What was started for this, and ends with it.
    plane: Option<ControlPlane>,
    made: Option<Made>,
    /// The engine's namespace, for all runs here.
    home: Home,
    /// Whether the cluster has nodes that are called as the lab calls its own.
    has_namesakes: bool,
}

/// An API server to connect to.
#[derive(Clone)]
pub(super) struct Target {
    pub(super) config: kube::Config,
    /// Its address, for messages.
    pub(super) server: String,
}

impl std::fmt::Debug for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Target").field("server", &self.server).finish_non_exhaustive()
    }
}

/// What one run has of a place.
pub struct Session {
    /// The cluster.
    pub cluster: Cluster,
    /// The repository.
    pub repository: Repository,
    /// What comes from both.
    pub heard: Receiver<Heard>,
    /// Set where the run is to end.
    pub interrupt: Interrupt,
    /// Whether what was made stays.
    pub keep: bool,
    /// Ends with the session.
    _server: Option<own::Server>,
}

/// What ends a run from outside, whether what it made stays, and what is to be alive meanwhile.
type Rest = (Interrupt, bool, Box<dyn std::any::Any>);

impl Session {
    /// Its parts.
    pub(in crate::lab) fn apart(self) -> (Cluster, Repository, Receiver<Heard>, Rest) {
        let rest: Rest = (self.interrupt, self.keep, Box::new(self._server));
        (self.cluster, self.repository, self.heard, rest)
    }
}

impl Site {
    /// Opens a place: starts what has to be started, and sees that its API server answers.
    ///
    /// # Errors
    /// [`SiteError`]; nothing is left running then.
    pub fn open(place: Place, terms: Terms) -> Result<Self, SiteError> {
        let shell = |name| Shell::start(name).map_err(|e| SiteError::system("no thread", &e));
        let (clients, servers) = (shell("wire")?, shell("servers")?);
        let mut site = Self {
            place,
            terms,
            clients,
            servers,
            target: None,
            plane: None,
            made: None,
            home: Home::default(),
            has_namesakes: false,
        };
        let interrupt = site.terms.interrupt.clone();
        match site.place.clone() {
            Place::Memory | Place::Apiserver => {}
            Place::Kubeconfig { context } => {
                let chosen = context::choose(context.as_deref(), &site.terms)?;
                if chosen.is_made {
                    // As with --cluster kind and k3d.
                    site.terms.pods.get_or_insert(Pods::Played);
                }
                site.target = Some(target(&site, chosen)?);
            }
            Place::Envtest => {
                let plane = ControlPlane::start(&interrupt)?;
                site.target = Some(target_of(&site, &plane.kubeconfig)?);
                site.plane = Some(plane);
                site.wait_until_ready()?;
            }
            Place::Kind { name } => site.open_made(Tool::Kind, &name)?,
            Place::K3d { name } => site.open_made(Tool::K3d, &name)?,
        }
        site.check()?;
        site.has_namesakes = site.are_pods_played() && site.is_there(FIRST_NODE)?;
        Ok(site)
    }

    fn open_made(&mut self, tool: Tool, name: &str) -> Result<(), SiteError> {
        let made = Made::open(tool, name, &self.terms)?;
        self.target = Some(target_of(self, &made.kubeconfig)?);
        self.made = Some(made);
        self.wait_until_ready()
    }

    /// Waits until an API server that was just started does its work.
    fn wait_until_ready(&mut self) -> Result<(), SiteError> {
        let Some(target) = self.target.clone() else { return Ok(()) };
        let client = self.client(&target)?;
        let link = Link::new(client, self.clients.handle().clone(), drop);
        let default = Request::get(NAMESPACES, "", "default");
        let clock = Clock::real();
        let start = clock.now();
        loop {
            if self.terms.interrupt.is_set() {
                return Err(SiteError::Interrupted);
            }
            self.plane.as_mut().map_or(Ok(()), ControlPlane::look)?;
            let answer = link.call_blocking(&default, limits::ANSWER_TO_LAB);
            if answer.is_ok() {
                return Ok(());
            }
            if clock.now().since(start) > limits::CONTROL_PLANE_START {
                let why = answer.as_status().map_or_else(String::new, |s| s.message.clone());
                return Err(SiteError::Unusable { server: target.server.clone(), why });
            }
            let _ = clock.wait_until(clock.now() + Duration::from_millis(100));
        }
    }

    /// What there is for scenarios here.
    fn gives(&self) -> Gives {
        self.place.gives(self.terms.pods)
    }

    /// What a scenario needs and does not get here, in words; `None` where it can be run.
    #[must_use]
    pub fn lacking(&self, scenario: &Scenario) -> Option<String> {
        let lacking = self.gives().lacking(scenario);
        let is_taken = lacking.is_none() && self.has_namesakes && needs::acts_on_nodes(scenario);
        match is_taken {
            true => Some("nodes of its own under the names of the world's".to_owned()),
            false => lacking,
        }
    }

    /// Where this is, as `--cluster` spells it.
    #[must_use]
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// Whether the cluster has a node of this name.
    fn is_there(&self, node: &str) -> Result<bool, SiteError> {
        let Some(target) = &self.target else { return Ok(false) };
        let link = Link::new(self.client(target)?, self.clients.handle().clone(), drop);
        let get = Request::get(NODES, "", node);
        Ok(link.call_blocking(&get, limits::ANSWER_TO_LAB).is_ok())
    }

    /// Whether the API server answers at all.
    fn check(&mut self) -> Result<(), SiteError> {
        let Some(target) = &self.target else { return Ok(()) };
        let unusable = |why: String| SiteError::Unusable { server: target.server.clone(), why };
        let client = self.client(target)?;
        let bound = limits::ANSWER_TO_LAB;
        let asked = async { tokio::time::timeout(bound, client.apiserver_version()).await };
        let asked = async {
            tokio::select! {
                answer = asked => Some(answer),
                () = self.terms.interrupt.wait() => None,
            }
        };
        match self.clients.handle().block_on(asked) {
            None => Err(SiteError::Interrupted),
            Some(Ok(Ok(_))) => Ok(()),
            Some(Ok(Err(error))) => Err(unusable(credentials::why(&error, &target.config))),
            Some(Err(_)) => Err(unusable(format!("no answer in {} s", bound.as_secs()))),
        }
    }

    fn client(&self, target: &Target) -> Result<kube::Client, SiteError> {
        let _inside = self.clients.handle().enter();
        kube::Client::try_from(target.config.clone()).map_err(|error| SiteError::Unusable {
            server: target.server.clone(),
            why: all(&error),
        })
    }

    /// Begins a run: a cluster with the namespaces that the scenario needs, and its repository.
    ///
    /// # Errors
    /// [`SiteError`]; what was made is removed then.
    pub(in crate::lab) fn session(
        &self,
        scenario: &Scenario,
        seed: u64,
        profile: &Profile,
        git: GitWorld,
        (stages, of_containers): (Vec<Stage>, Vec<ContainerStage>),
    ) -> Result<Session, SiteError> {
        let (tell, heard) = mpsc::channel();
        let server = match &self.target {
            Some(_) => None,
            None => {
                let nodes = scenario.world.nodes as usize;
                let images = ImageRule::all(&scenario.images).with_stages(of_containers);
                Some(own::Server::start(&self.servers, seed, profile, nodes, images, stages)?)
            }
        };
        let target: Target = match (&self.target, &server) {
            (Some(target), _) => target.clone(),
            (None, Some(server)) => target_of(self, &server.kubeconfig)?,
            (None, None) => return Err(SiteError::system("no cluster", &"nowhere to run")),
        };
        let link = self.link(&target, tell.clone())?;
        let inside = self.inside(scenario, seed, profile);
        let run = run_label(seed)?;
        let trouble = Trouble::none(&target.server);
        let own = server.as_ref().map(own::Server::cluster);
        let mut wire = Wire::new(link, run, inside, own, trouble);
        // A server of the run's own goes as a whole.
        let keep = self.terms.keep || server.is_some();
        wire.keeps = keep;
        wire.guard.is_alone = server.is_some();
        wire.home = (!keep).then(|| self.home.clone());
        let plays = self.are_pods_played();
        let prepared = wire
            .prepare(&needs::namespaces(scenario), &self.terms.interrupt)
            .and_then(|()| if plays { wire.cordon() } else { Ok(()) })
            .and_then(|()| Served::start(git, scenario.notice, &self.servers, &tell));
        let repository = match prepared {
            Ok(served) => Repository::Wire(Box::new(served)),
            Err(error) => {
                // Where the control plane is ours, only a run's own controllers would see to it.
                return Err(match wire.abandon(self.plane.is_none()) {
                    Ok(()) => error,
                    Err(left) => error.and(left),
                });
            }
        };
        Ok(Session {
            cluster: Cluster::Wire(Box::new(wire)),
            repository,
            heard,
            interrupt: self.terms.interrupt.clone(),
            keep,
            _server: server,
        })
    }

    fn link(&self, target: &Target, tell: Sender<Heard>) -> Result<Link, SiteError> {
        let client = self.client(target)?;
        // A run that is over hears nothing any more.
        let told = move |told| drop(tell.send(Heard::Api(told)));
        Ok(Link::new(client, self.clients.handle().clone(), told))
    }

    /// What the lab brings along to the cluster.
    fn inside(&self, scenario: &Scenario, seed: u64, profile: &Profile) -> Inside {
        let nodes = scenario.world.nodes as usize;
        let parts = match (&self.place, self.are_pods_played()) {
            (Place::Envtest, _) => Parts::all(nodes),
            (_, true) => Parts { nodes, ..Parts::NONE },
            (_, false) => return Inside::default(),
        };
        Inside::new(parts, &Rng::new(seed), profile, ImageRule::all(&scenario.images))
    }

    /// Whether the lab plays nodes beside those that the cluster has.
    fn are_pods_played(&self) -> bool {
        !matches!(self.place, Place::Memory | Place::Apiserver | Place::Envtest)
            && self.gives().scripted_images
    }

    /// Closes the place: what was started is stopped.
    ///
    /// # Errors
    /// What could not be.
    pub fn close(mut self) -> Result<(), SiteError> {
        let emptied = self.empty();
        match &mut self.made {
            Some(made) => emptied.and(made.close()),
            None => emptied,
        }
    }

    /// Removes what all runs here had together, where the cluster outlives this.
    fn empty(&self) -> Result<(), SiteError> {
        let goes = self.plane.is_some() || self.made.as_ref().is_some_and(Made::is_ours);
        let (Some(target), false, true) = (&self.target, goes, self.home.get().is_some()) else {
            return Ok(());
        };
        let link = Link::new(self.client(target)?, self.clients.handle().clone(), drop);
        self.home.remove(&link)
    }
}

/// The target that a kubeconfig's current context names.
fn target_of(site: &Site, kubeconfig: &str) -> Result<Target, SiteError> {
    let wrong = |error: kube::config::KubeconfigError| SiteError::Kubeconfig { why: all(&error) };
    let kubeconfig = Kubeconfig::from_yaml(kubeconfig).map_err(wrong)?;
    target(site, Chosen { kubeconfig, options: KubeConfigOptions::default(), is_made: false })
}

/// The target of a context.
fn target(site: &Site, chosen: Chosen) -> Result<Target, SiteError> {
    let made = kube::Config::from_custom_kubeconfig(chosen.kubeconfig, &chosen.options);
    let made = site.clients.handle().block_on(made);
    let mut config = made.map_err(|error| SiteError::Kubeconfig { why: all(&error) })?;
    // Requests are sent again by the link, which counts them.
    config.default_retry = false;
    config.read_timeout = Some(Duration::from_secs(limits::WATCH_SECONDS + 15));
    let server = config.cluster_url.to_string().trim_end_matches('/').to_owned();
    Ok(Target { config, server })
}

/// The value of the label of what a run made: not the seed's alone, two runs may be at once.
fn run_label(seed: u64) -> Result<String, SiteError> {
    let mut bytes = [0; 4];
    aws_lc_rs::rand::fill(&mut bytes)
        .map_err(|_| SiteError::system("no run", &"no randomness is to be had"))?;
    Ok(format!("{seed}-{:08x}", u32::from_le_bytes(bytes)))
}

/// An error with all that it says of its causes.
pub(super) fn all(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let more = cause.to_string();
        if !text.contains(&more) {
            text.push_str(": ");
            text.push_str(&more);
        }
        source = cause.source();
    }
    text
}
